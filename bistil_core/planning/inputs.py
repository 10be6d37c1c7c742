"""What lies there of a step's inputs; what does not is named, so that the step can be asked again later."""

import errno
from pathlib import Path

import pyarrow.parquet as pq


class NotMadeYet(FileNotFoundError):
    """An input that an earlier step will write; `filename` is its folder."""


def parquet_size(*folders: str | Path, name: str = "*.parquet") -> float:
    """Bytes of the Parquet files of that name in folders; NotMadeYet names the first folder that is not there yet."""
    return sum(file.stat().st_size for folder in folders for file in made(folder).rglob(name))


def rows_in(folder: str | Path, name: str) -> int:
    """Rows of a Parquet file in a folder; NotMadeYet names the folder if it is not there yet."""
    return pq.read_metadata(made(folder) / name).num_rows


def made(folder: str | Path) -> Path:
    """The folder; NotMadeYet names it if it is not there yet."""
    if not Path(folder).exists():
        raise NotMadeYet(errno.ENOENT, "not made yet", str(folder))
    return Path(folder)
