"""One repository of the hub at one commit: what files it has, and fetching them whole or not at all."""

import hashlib
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from huggingface_hub import HfApi, get_session, hf_hub_url
from huggingface_hub.errors import RemoteEntryNotFoundError
from huggingface_hub.hf_api import RepoFile, RepoFolder
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status

from bistil_core.errors import BistilError
from bistil_core.files import sha256_of
from bistil_core.hub.patience import Interrupted, patiently

LOGGER = logging.getLogger("bistil")

_TIMEOUT = 30
_PARTIAL_CONTENT, _NO_SUCH_RANGE = 206, 416


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository.

    Attributes:
        path: in the repository, with forward slashes.
        size: in bytes.
        sha256: as the hub states it, for large files; None for those that lie in git itself.
        blob: git's SHA-1 of the content (of large files: of their pointer).
    """

    path: str
    size: int
    sha256: str | None
    blob: str


class Repository:
    """A repository of the hub, pinned to the commit that its revision stands for.

    The hub's address is the environment's HF_ENDPOINT, the token its HF_TOKEN; a token that a login left in a file
    is not used, and none is ever logged.

    Attributes:
        commit: the full hash.

    Raises:
        BistilError: of every method: the hub cannot be reached or refuses; the message says what to do.
    """

    def __init__(self, kind: Literal["model", "dataset"], name: str, revision: str):
        self._kind, self._name = kind, name
        self._endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
        self._token = os.environ.get("HF_TOKEN") or False
        self._api = HfApi(endpoint=self._endpoint, token=self._token)
        self.address = f"{self._endpoint}/{'datasets/' if kind == 'dataset' else ''}{name}"
        self.label = f"{'data set' if kind == 'dataset' else kind} {name} at revision {revision}"
        info = patiently(
            self.label,
            self.address,
            lambda: self._api.repo_info(name, repo_type=kind, revision=revision, timeout=_TIMEOUT),
        )
        self.commit: str = info.sha

    def listing(self, folder: str = "", recursive: bool = False) -> tuple[list[RemoteFile], list[str]]:
        """The files and the names of the folders in one folder; both empty where there is no such folder."""

        def attempt() -> list[RepoFile | RepoFolder]:
            try:
                return list(
                    self._api.list_repo_tree(
                        self._name, folder or None, recursive=recursive, revision=self.commit, repo_type=self._kind
                    )
                )
            except RemoteEntryNotFoundError:
                return []

        entries = patiently(self.label, self.address, attempt)
        files = [_remote_file(entry) for entry in entries if isinstance(entry, RepoFile)]
        folders = [PurePosixPath(entry.path).name for entry in entries if isinstance(entry, RepoFolder)]
        return sorted(files, key=lambda file: file.path), sorted(folders)

    def fetch(self, file: RemoteFile, folder: Path) -> Path:
        """The file below `folder`, whole and as the hub states it; what an earlier attempt left is gone on from.

        Raises:
            BistilError: besides, a content that twice differs from its checksum; it is deleted.
        """
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        label = f"{file.path} of {self.label}"
        LOGGER.info("%s: %.1f MB", label, file.size / 1e6)
        for damaged_before in (False, True):
            patiently(label, self.address, lambda: self._transfer(file, path))
            if _is_intact(path, file):
                return path
            path.unlink()
            if not damaged_before:
                LOGGER.info("%s: differs from its checksum; deleted, downloading it anew", label)
        raise BistilError(
            f"{label}: what arrives differs from the checksum that the hub states, twice in a row; it was deleted. "
            "Something on the way (a proxy, a mirror set as HF_ENDPOINT) alters it: try another network, or later"
        )

    def _transfer(self, file: RemoteFile, path: Path) -> None:
        """Get the bytes of the file that are still missing at `path`."""
        have = path.stat().st_size if path.exists() else 0
        if have == file.size and path.exists():
            return
        if have > file.size:
            path.unlink()
            have = 0
        headers = build_hf_headers(token=self._token, library_name="bistil")
        # Compressed in transit, a range of the stream would be no range of the file.
        headers |= {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        url = hf_hub_url(self._name, file.path, repo_type=self._kind, revision=self.commit, endpoint=self._endpoint)
        with get_session().stream("GET", url, headers=headers, timeout=_TIMEOUT, follow_redirects=True) as response:
            if response.status_code == _NO_SUCH_RANGE:
                path.unlink()
                raise Interrupted("the hub cannot go on from where the transfer stopped")
            hf_raise_for_status(response)
            resumed = response.status_code == _PARTIAL_CONTENT
            if resumed:
                LOGGER.info("%s: going on from %.1f MB", file.path, have / 1e6)
            with path.open("ab" if resumed else "wb") as stream:
                # As they come: collected into larger pieces, those before a broken connection would be lost.
                for chunk in response.iter_bytes():
                    stream.write(chunk)
        if path.stat().st_size < file.size:
            raise Interrupted(f"{path.stat().st_size} of {file.size} bytes arrived")


def described(files: Iterable[RemoteFile], folder: Path) -> list[dict[str, str | int]]:
    """{"name", "sha256", "bytes"} of each file, fetched into `folder`."""
    return [
        {"name": file.path, "sha256": file.sha256 or sha256_of(folder / file.path), "bytes": file.size}
        for file in files
    ]


def _remote_file(entry: RepoFile) -> RemoteFile:
    path = PurePosixPath(entry.path)
    if path.is_absolute() or ".." in path.parts:
        raise BistilError(
            f"the hub lists a file {entry.path!r}, which would lie outside its folder; nothing is fetched"
        )
    return RemoteFile(entry.path, entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)


def _is_intact(path: Path, file: RemoteFile) -> bool:
    if path.stat().st_size != file.size:
        return False
    if file.sha256:
        return sha256_of(path) == file.sha256
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == file.blob
