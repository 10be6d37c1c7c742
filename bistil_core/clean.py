"""Room on the disk: what only earlier steps needed, and what interrupted ones left."""

import logging
import shutil
from pathlib import Path

from bistil_core.errors import BistilError

LOGGER = logging.getLogger("bistil")

INTERMEDIATES = ("base_models", "corpora", "counts", "tasks", "benchmarks")
"""Folders that nobody reads once students, teachers, models and results are there."""

LEFTOVERS = ("**/.*.checkpoints", "downloads/*/.*.unfinished")
"""Hidden folders from which an interrupted step would have gone on."""


def clean(results: Path, *, kept: bool) -> int:
    """Delete intermediates and leftovers; students, teachers, vocabularies, SFTs, models and results stay.

    Args:
        results: the folder of all outputs.
        kept: whether the configuration keeps intermediates.

    Returns:
        The bytes that were freed.

    Raises:
        BistilError: the configuration keeps intermediates; the next run would make them again, and all that follows.
    """
    if kept:
        raise BistilError(
            "keep_intermediates is true: the next run would miss the intermediates and make them again, and after them "
            "all that follows. Set keep_intermediates: false, then ask for `clean` again"
        )
    folders = [results / name for name in INTERMEDIATES]
    folders += [path for pattern in LEFTOVERS for path in results.glob(pattern)]
    freed = 0
    for folder in folders:
        if folder.is_dir():
            freed += sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            shutil.rmtree(folder)
    LOGGER.info("%.1f MB freed in %s", freed / 1e6, results)
    return freed
