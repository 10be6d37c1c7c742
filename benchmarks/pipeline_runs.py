"""Running the pipeline from a benchmark."""

import subprocess
import sys
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]


def run(folder: Path, targets: list[str], changes: dict) -> None:
    """Make `targets` in `folder`, with config.yaml changed a little."""
    _snakemake(folder, targets, REPOSITORY / "config.yaml", _written(folder / "changes.yaml", changes))


def run_experiment(folder: Path, targets: list[str], experiment: dict) -> None:
    """Make `targets` in `folder`, with a whole configuration."""
    _snakemake(folder, targets, _written(folder / "experiment.yaml", experiment))


def _written(file: Path, values: dict) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(values))
    return file


def _snakemake(folder: Path, targets: list[str], *configuration: Path) -> None:
    command = [
        sys.executable, "-m", "snakemake", "--cores", "all", "--quiet", "all",
        "--snakefile", str(REPOSITORY / "Snakefile"), "--directory", str(folder),
        "--workflow-profile", str(REPOSITORY / "profiles" / "default"),
        "--configfile", *map(str, configuration),
        "--", *targets,
    ]  # fmt: skip
    subprocess.run(command, check=True)
