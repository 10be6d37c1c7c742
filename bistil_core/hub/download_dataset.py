"""The Parquet files of one configuration and split of a data set, as they lie on the hub."""

import hashlib
import logging
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from bistil_core.data.columns import text_batches
from bistil_core.errors import BistilError
from bistil_core.hub.dataset_files import chosen_patterns, configurations_of, matching
from bistil_core.hub.downloading import download, unfinished_folder
from bistil_core.hub.repository import RemoteFile, Repository
from bistil_core.settings.sources import HubExamples, HubText

LOGGER = logging.getLogger("bistil")

CARD = "README.md"


def download_dataset(output: Path, source: HubText | HubExamples) -> None:
    """Write a folder with the Parquet files of one split under their paths in the repository, and provenance.json.

    Text with a `maximum_characters` is fetched file by file, in an order that a hash of the paths decides, until
    the files hold that many characters: of a large corpus no more than is needed.

    Args:
        output: the folder to write; see `bistil_core.downloads.dataset_folder`.
        source: a source of the configuration with `{language}` filled in.

    Raises:
        BistilError: no such data set, configuration or split, no access, or the network fails; see
            `bistil_core.hub.repository`.
    """
    repository = Repository("dataset", source.repository, source.revision)
    files = _files_of_split(repository, source, output)
    about: dict[str, Any] = {
        "repository": source.repository,
        "name": source.name,
        "split": source.split,
        "revision": source.revision,
    }
    limit = source.maximum_characters if isinstance(source, HubText) else None
    if limit is None:
        download(output, repository, about, files)
        return

    files.sort(key=lambda file: hashlib.sha256(file.path.encode()).digest())
    about["characters"] = 0

    def enough(path: Path) -> bool:
        about["characters"] += characters_in(path, source.text_column)
        LOGGER.info("%d of %d characters", about["characters"], limit)
        return about["characters"] >= limit

    download(output, repository, about, files, enough)


def characters_in(path: Path, column: str) -> int:
    """Characters (code points) in a Parquet file's string column, read a batch at a time.

    Raises:
        BistilError: there is no such column of text.
    """
    return sum(pc.sum(pc.utf8_length(texts)).as_py() or 0 for texts in text_batches(path, column))


def _files_of_split(repository: Repository, source: HubText | HubExamples, output: Path) -> list[RemoteFile]:
    top, folders = repository.listing()
    card_file = next((file for file in top if file.path == CARD), None)
    card = ""
    if card_file:
        place = repository.fetch(card_file, unfinished_folder(output, repository))
        card = place.read_text(encoding="utf-8", errors="replace")
    known = {"": top}

    def paths(folder: str, recursive: bool) -> list[str]:
        files = top if not folder and not recursive else repository.listing(folder, recursive)[0]
        known[folder] = [*known.get(folder, ()), *files]
        return [file.path for file in files]

    for patterns in chosen_patterns(repository.label, card, source.name, source.split):
        if found := matching(patterns, paths):
            remote = {file.path: file for files in known.values() for file in files}
            return [remote[path] for path in found]
    wanted = f"configuration {source.name!r}, split {source.split!r}" if source.name else f"split {source.split!r}"
    raise BistilError(
        f"{repository.label}: no Parquet files of {wanted}. Correct `name` and `split`; {configurations_of(folders)}. "
        "A data set that only a script can load has its Parquet files at revision refs/convert/parquet"
    )
