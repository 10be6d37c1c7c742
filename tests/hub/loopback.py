"""A hub on 127.0.0.1 that speaks the real hub's protocol, for files that a test makes, with faults on demand.

What is large (Parquet, weights) is answered with a redirect to another host name, as by the hub's own storage.
"""

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

LARGE = {".parquet", ".safetensors", ".bin", ".model"}


@dataclass
class Repository:
    """The files of one repository at its only commit; `main` and `v1` stand for it."""

    files: dict[str, bytes]
    commit: str = ""

    def __post_init__(self):
        content = "".join(f"{path} {hashlib.sha1(data).hexdigest()}\n" for path, data in sorted(self.files.items()))
        self.commit = self.commit or hashlib.sha1(content.encode()).hexdigest()

    def entry(self, path: str) -> dict:
        data = self.files[path]
        entry = {"type": "file", "path": path, "size": len(data)}
        if Path(path).suffix not in LARGE:
            return {**entry, "oid": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()}
        sha256 = hashlib.sha256(data).hexdigest()
        return {**entry, "oid": sha256[:40], "lfs": {"oid": sha256, "size": len(data), "pointerSize": 134}}

    def tree(self, folder: str, recursive: bool) -> list[dict] | None:
        prefix = f"{folder}/" if folder else ""
        inside = [path for path in sorted(self.files) if path.startswith(prefix)]
        if not inside:
            return None
        folders = {
            prefix + "/".join(parts[:depth])
            for parts in (path.removeprefix(prefix).split("/") for path in inside)
            for depth in range(1, len(parts) if recursive else min(len(parts), 2))
        }
        files = [path for path in inside if recursive or "/" not in path.removeprefix(prefix)]
        return [{"type": "directory", "path": path, "oid": "0" * 40} for path in sorted(folders)] + [
            self.entry(path) for path in files
        ]


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path matches.

    Attributes:
        kind: a status such as "503", or "cut" (the connection breaks in mid-file), "altered" (a wrong byte),
            "no ranges" (every answer begins at the first byte).
    """

    path: str
    kind: str
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    """What was asked, for tests to look at."""

    method: str
    path: str
    headers: dict[str, str]


class LoopbackHub:
    """The server; `repositories` by ("models" or "datasets", "owner/name") may be filled at any time."""

    def __init__(self):
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self.storage = f"http://localhost:{self._server.server_port}/storage"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fault_for(self, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.path, path):
                fault.times -= 1
                return fault
        return None

    def asked(self, pattern: str, method: str = "GET") -> list[Request]:
        return [request for request in self.requests if request.method == method and re.search(pattern, request.path)]


class _Handler(BaseHTTPRequestHandler):
    server_hub: LoopbackHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: dict | None = None) -> None:
        hub = self.server_hub
        address = urlsplit(self.path)
        path = unquote(address.path)
        hub.requests.append(Request(self.command, path, {name.lower(): value for name, value in self.headers.items()}))
        fault = hub.fault_for(path)
        if fault and fault.kind.isdigit():
            return self._send(int(fault.kind), b"no", fault.headers)
        if path.startswith("/storage/"):
            return self._file(path.removeprefix("/storage"), fault, redirect=False)
        if found := re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/(.+))?", path):
            return self._api(*found.groups(), parse_qs(address.query), body)
        return self._file(path, fault, redirect=True)

    def _api(self, kind, name, action, rest, query, body) -> None:
        repository = self.server_hub.repositories.get((kind, name))
        if repository is None:
            return self._error(401, "RepoNotFound")
        revision, _, folder = (rest or "main").partition("/")
        if revision not in ("main", "v1", repository.commit):
            return self._error(404, "RevisionNotFound")
        if action == "tree":
            entries = repository.tree(folder, query.get("recursive", ["False"])[0].lower() == "true")
            return self._error(404, "EntryNotFound") if entries is None else self._json(entries)
        if action == "paths-info":
            return self._json([repository.entry(path) for path in body["paths"] if path in repository.files])
        siblings = [{"rfilename": path} for path in sorted(repository.files)]
        return self._json({"id": name, "sha": repository.commit, "private": False, "siblings": siblings, "tags": []})

    def _file(self, path: str, fault: Fault | None, redirect: bool) -> None:
        found = re.fullmatch(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if not found:
            return self._error(404, "EntryNotFound")
        datasets, name, _, file = found.groups()
        repository = self.server_hub.repositories.get(("datasets" if datasets else "models", name))
        if repository is None or file not in repository.files:
            return self._error(404, "EntryNotFound")
        headers = {"X-Repo-Commit": repository.commit, "Accept-Ranges": "bytes"}
        if redirect and Path(file).suffix in LARGE:
            entry = repository.entry(file)
            headers |= {"X-Linked-Size": str(entry["size"]), "X-Linked-Etag": f'"{entry["lfs"]["oid"]}"'}
            return self._send(302, b"", {**headers, "Location": f"{self.server_hub.storage}{path}"})
        return self._bytes(repository.files[file], fault.kind if fault else "", headers)

    def _bytes(self, data: bytes, fault: str, headers: dict[str, str]) -> None:
        etag = {"ETag": f'"{hashlib.sha1(data).hexdigest()}"'}
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and fault != "no ranges" else 0
        if start >= len(data) > 0:
            return self._send(416, b"", headers)
        if fault == "altered":
            data = data[:-1] + bytes([data[-1] ^ 1])
        content = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        sent = data[start:]
        if fault == "cut":
            self.send_response(206 if start else 200)
            for name, value in {**headers, **etag, **content, "Content-Length": str(len(sent))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent[: len(sent) // 2])
            self.close_connection = True
            return None
        return self._send(206 if start else 200, sent, {**headers, **etag, **content})

    def _error(self, status: int, code: str) -> None:
        self._send(status, b"{}", {"X-Error-Code": code})

    def _json(self, value) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
