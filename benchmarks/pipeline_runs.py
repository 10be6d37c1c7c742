"""Running the pipeline from a benchmark."""

import subprocess
import sys
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]


def run(folder: Path, targets: list[str], changes: dict) -> None:
    """Make `targets` in `folder`, with config.yaml changed a little."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "changes.yaml").write_text(yaml.safe_dump(changes))
    command = [
        sys.executable, "-m", "snakemake", "--cores", "all", "--quiet", "all",
        "--snakefile", str(REPOSITORY / "Snakefile"), "--directory", str(folder),
        "--workflow-profile", str(REPOSITORY / "profiles" / "default"),
        "--configfile", str(REPOSITORY / "config.yaml"), str(folder / "changes.yaml"),
        "--", *targets,
    ]  # fmt: skip
    subprocess.run(command, check=True)
