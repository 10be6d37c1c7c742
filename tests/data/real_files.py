"""Benchmark files that are not part of the repository: tests of them skip where there are none."""

import os
from pathlib import Path

import pytest


def real_files(pattern):
    """The folder of benchmark files and those of them that a pattern matches; skips where there are none."""
    folder = Path(os.environ.get("BISTIL_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
    files = sorted(folder.glob(pattern))
    if not files:
        pytest.skip(f"no real benchmark files {pattern} here: set BISTIL_REAL_DATA to their folder")
    return folder, files
