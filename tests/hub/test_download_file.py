"""Files of GitHub repositories, from a real HTTP server on the loopback."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bistil_core.data.example_sources import github
from bistil_core.downloads import file_folder
from bistil_core.errors import BistilError
from bistil_core.hub import patience
from bistil_core.hub.download_file import download_file
from bistil_core.settings.sources import GithubExamples

CONTENT = b"Amina B-PER\nanaishi O\nTanga B-LOC\n\n" * 50
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PATH = f"/someone/somewhere/{COMMIT}/data/swa/test.txt"


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server that answers as its list of `faults` says, then with the file; `asked` is how often it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked += 1
            fault = self.server.faults.pop(0) if self.server.faults else None
            if isinstance(fault, int) or self.path != PATH:
                self.send_error(fault if isinstance(fault, int) else 404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT[:100] if fault == "cut" else CONTENT)

        def log_message(self, *arguments):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.faults, running.asked = [], 0
    threading.Thread(target=running.serve_forever, daemon=True).start()
    monkeypatch.setenv("GITHUB_RAW_ENDPOINT", f"http://127.0.0.1:{running.server_address[1]}")
    monkeypatch.setattr(patience, "WAITS", (0, 0))
    monkeypatch.chdir(tmp_path)
    yield running
    running.shutdown()


def source(**changes):
    values = {
        "kind": "github", "repository": "someone/somewhere", "commit": COMMIT, "path": "data/{language}/test.txt",
        "sha256": {"swa": hashlib.sha256(CONTENT).hexdigest()},
    }  # fmt: skip
    return GithubExamples(**{**values, **changes})


def fetch(chosen):
    folder = file_folder(chosen, "swa")
    download_file(folder, chosen, "swa")
    return folder


def test_the_file_comes_with_its_provenance_and_is_read_without_a_network(server, monkeypatch):
    folder = fetch(source())
    assert (folder / "test.txt").read_bytes() == CONTENT
    record = json.loads((folder / "provenance.json").read_text())
    assert (record["repository"], record["commit"], record["path"]) == (
        "someone/somewhere",
        COMMIT,
        "data/swa/test.txt",
    )
    monkeypatch.setenv("GITHUB_RAW_ENDPOINT", "http://127.0.0.1:9")
    examples = github.examples(source(), "ner", "swa", "test", 1)
    assert examples.table.num_rows == 50
    assert examples.revision == COMMIT
    assert examples.name == "someone/somewhere data/swa/test.txt"


@pytest.mark.parametrize("fault", [503, 429, "cut"])
def test_what_passes_is_tried_again(server, fault):
    server.faults = [fault]
    assert (fetch(source()) / "test.txt").read_bytes() == CONTENT
    assert server.asked == 2


def test_what_does_not_pass_is_given_up_and_leaves_nothing(server):
    server.faults = [500] * 9
    with pytest.raises(BistilError, match="gave up after 3 attempts"):
        fetch(source())
    assert not file_folder(source(), "swa").exists()


def test_a_wrong_checksum_is_refused_and_leaves_nothing(server):
    with pytest.raises(BistilError, match=r"its SHA-256 is .*, the configuration's is 0000"):
        fetch(source(sha256={"swa": "0" * 64}))
    assert not file_folder(source(), "swa").exists()


def test_a_file_that_is_not_there_is_said_at_once(server):
    with pytest.raises(BistilError, match=r"GitHub answered 404 .*correct `repository`, `commit` or `path`"):
        fetch(source(path="data/{language}/tset.txt"))
    assert server.asked == 1


def test_offline_nothing_is_asked(server, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BistilError, match="HF_HUB_OFFLINE is set"):
        fetch(source())
    assert server.asked == 0
