"""Files of one repository into one folder, by way of a folder of unfinished ones that survives a failure."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bistil_core.downloads import RECORD
from bistil_core.files import replacing, write_json
from bistil_core.hub.repository import RemoteFile, Repository, described


def unfinished_folder(output: Path, repository: Repository) -> Path:
    """Where the files wait until all are there: beside `output`, since Snakemake empties outputs before each try."""
    return output.with_name(f".{output.name}@{repository.commit}.unfinished")


def download(
    output: Path,
    repository: Repository,
    about: dict[str, Any],
    files: Iterable[RemoteFile],
    arrived: Callable[[Path], bool] = lambda path: False,
) -> None:
    """Write `output` with the files under their paths in the repository, and provenance.json.

    Args:
        output: the folder to write.
        repository: where the files are.
        about: what provenance.json says besides commit and files; read when all files are there.
        files: in the order in which they are fetched.
        arrived: called with each file's place; true ends the download there.

    Raises:
        BistilError: a file cannot be fetched; those that were are kept for the next attempt.
    """
    unfinished = unfinished_folder(output, repository)
    fetched = []
    for file in files:
        path = repository.fetch(file, unfinished)
        fetched.append(file)
        if arrived(path):
            break
    with replacing(output) as folder:
        folder.mkdir()
        record = {**about, "commit": repository.commit, "files": described(fetched, unfinished)}
        write_json(folder / RECORD, record)
        for file in fetched:
            (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
            (unfinished / file.path).rename(folder / file.path)
    shutil.rmtree(unfinished)
