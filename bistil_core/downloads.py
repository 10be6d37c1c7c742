"""Where a download lies: what writes it and what reads it later, offline, agree on it here."""

from pathlib import Path
from typing import Any

from bistil_core.errors import BistilError
from bistil_core.files import read_json
from bistil_core.settings.sources import GithubExamples, HubExamples, HubFiles, HubText

DOWNLOADS = Path("results") / "downloads"
RECORD = "provenance.json"


def model_folder(source: HubFiles) -> Path:
    """Folder of a base model's download, relative to the working directory."""
    return DOWNLOADS / "models" / _slug(source.repository, source.revision)


def dataset_folder(source: HubText | HubExamples, language: str) -> Path:
    """Folder of one split's download, relative to the working directory; `{language}` is filled in."""
    filled = filled_in(source, language)
    return DOWNLOADS / "datasets" / _slug(filled.repository, filled.name, filled.split, filled.revision)


def file_folder(source: GithubExamples, language: str) -> Path:
    """Folder of one file's download, relative to the working directory; `{language}` is filled in."""
    path = source.path.replace("{language}", language)
    return DOWNLOADS / "files" / _slug(source.repository, source.commit[:12], path)


def filled_in(source: HubText | HubExamples, language: str) -> HubText | HubExamples:
    """The source with the language's code in place of `{language}` in its name and split."""
    name = source.name[language] if isinstance(source.name, dict) else source.name
    name = name.replace("{language}", language) if name else None
    return source.model_copy(update={"name": name, "split": source.split.replace("{language}", language)})


def downloaded_part(source: HubFiles | HubText | HubExamples | GithubExamples, language: str = "") -> dict[str, Any]:
    """The settings of a source that decide what is downloaded; those that only say how to read it are left out."""
    values = source.model_dump(exclude={"model_type", "columns", "labels"})
    match source:
        case HubText(maximum_characters=None):
            del values["text_column"]
        case GithubExamples(sha256=known):
            values["sha256"] = {language: known[language]} if language in known else {}
    return values


def record_of(folder: Path) -> dict[str, Any]:
    """What the download noted: repository, revision, commit, files with sizes and checksums.

    Raises:
        BistilError: there is no finished download in the folder.
    """
    if not (folder / RECORD).is_file():
        raise BistilError(f"{folder}: no finished download here; ask Snakemake for this folder, with a network")
    return read_json(folder / RECORD)


def name_of(record: dict[str, Any]) -> str:
    """What a result calls a split of a data set, from what its download noted."""
    return " ".join(filter(None, (record["repository"], record["name"], record["split"])))


def _slug(*parts: str | None) -> str:
    return "_".join(part.replace("/", "--") for part in parts if part)
