"""Running the pipeline from a benchmark, and what it prints."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

REPOSITORY = Path(__file__).resolve().parents[1]


def run(folder: Path, targets: list[str], changes: dict) -> None:
    """Make `targets` in `folder`, with config.yaml changed a little."""
    _snakemake(folder, targets, REPOSITORY / "config.yaml", _written(folder / "changes.yaml", changes))


def run_experiment(folder: Path, targets: list[str], experiment: dict) -> None:
    """Make `targets` in `folder`, with a whole configuration."""
    _snakemake(folder, targets, _written(folder / "experiment.yaml", experiment))


def print_table(rows: dict[str, dict[str, float]]) -> None:
    """Print the rows as Markdown, below their means, minima and maxima."""
    table = pd.DataFrame(rows).T
    summary = pd.DataFrame({"mean": table.mean(), "min": table.min(), "max": table.max()}).T
    whole = pd.concat([summary, table]).map("{:.3f}".format)
    print(f"| | {' | '.join(whole.columns)} |\n|---|{'---|' * len(whole.columns)}")
    for name, row in whole.iterrows():
        print(f"| {name} | {' | '.join(row)} |")


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
