"""One file of a public GitHub repository at a commit."""

import logging
import os
from pathlib import Path

import httpx2
from huggingface_hub import get_session

from bistil_core.downloads import RECORD
from bistil_core.errors import BistilError
from bistil_core.files import replacing, sha256_of, write_json
from bistil_core.hub.patience import Interrupted, patiently
from bistil_core.settings.sources import GithubExamples

LOGGER = logging.getLogger("bistil")

_TIMEOUT = 30
_TOO_MANY = 429


def download_file(output: Path, source: GithubExamples, language: str) -> None:
    """Write a folder with the file under its name, and provenance.json.

    The address of GitHub's raw files may be changed by the environment's GITHUB_RAW_ENDPOINT, for a mirror.

    Args:
        output: the folder to write; see `bistil_core.downloads.file_folder`.
        source: a source of the configuration.
        language: code of the language, for `{language}` in the path and for the checksum.

    Raises:
        BistilError: there is no such file, the network fails, or the file differs from its checksum.
    """
    path = source.path.replace("{language}", language)
    endpoint = os.environ.get("GITHUB_RAW_ENDPOINT", "https://raw.githubusercontent.com").rstrip("/")
    url = f"{endpoint}/{source.repository}/{source.commit}/{path}"
    label = f"{path} of {source.repository} at commit {source.commit[:12]}"
    if os.environ.get("HF_HUB_OFFLINE") in ("1", "true", "TRUE", "yes", "YES"):
        raise BistilError(
            f"{label}: HF_HUB_OFFLINE is set, so nothing can be downloaded. Run the downloads where there is a network "
            "and HF_HUB_OFFLINE is not set (docs/downloads.md), then the rest offline"
        )
    with replacing(output) as folder:
        folder.mkdir()
        file = folder / Path(path).name
        patiently(label, url, lambda: _transfer(url, label, file))
        found, wanted = sha256_of(file), source.sha256.get(language)
        if wanted and found != wanted:
            raise BistilError(
                f"{label}: its SHA-256 is {found}, the configuration's is {wanted}. A commit never changes: the "
                "checksum is of another file, or something on the way alters it"
            )
        LOGGER.info("%s: %.1f MB, SHA-256 %s", label, file.stat().st_size / 1e6, found)
        write_json(
            folder / RECORD,
            {
                "repository": source.repository,
                "commit": source.commit,
                "path": path,
                "files": [{"name": file.name, "sha256": found, "bytes": file.stat().st_size}],
            },
        )


def _transfer(url: str, label: str, file: Path) -> None:
    headers = {"Accept-Encoding": "identity"}
    with get_session().stream("GET", url, headers=headers, timeout=_TIMEOUT, follow_redirects=True) as response:
        status = response.status_code
        if status == _TOO_MANY or status >= 500:
            raise Interrupted(f"GitHub answered {status}")
        if status != httpx2.codes.OK:
            raise BistilError(
                f"{label}: GitHub answered {status} for {url}; correct `repository`, `commit` or `path` of the source"
            )
        with file.open("wb") as stream:
            for chunk in response.iter_bytes():
                stream.write(chunk)
    size = int(response.headers.get("Content-Length", file.stat().st_size))
    if file.stat().st_size != size:
        raise Interrupted(f"{file.stat().st_size} of {size} bytes arrived")
