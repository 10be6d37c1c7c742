"""What a result was made with: versions, commit, configuration."""

import hashlib
import json
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = (
    "bistil",
    "datasets",
    "numpy",
    "pyarrow",
    "safetensors",
    "snakemake",
    "tokenizers",
    "torch",
    "transformers",
)


def provenance(configuration: dict[str, Any], code: dict[str, str], seed: int) -> dict[str, Any]:
    """The `provenance` section of a result; no clock, no host name."""
    text = json.dumps(configuration, sort_keys=True, ensure_ascii=False)
    commit = _git("rev-parse", "HEAD")
    return {
        "config": configuration,
        "config_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "code": code,
        "git_commit": commit,
        "git_dirty": None if commit is None else bool(_git("status", "--porcelain", "--untracked-files=no")),
        "seed": seed,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }


def _git(*arguments: str) -> str | None:
    """What git says of the checkout that this package lies in; None outside one."""
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
