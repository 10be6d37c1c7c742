import hashlib
import logging
from pathlib import Path

import pytest
from huggingface_hub import constants

from bistil_core.errors import BistilError
from bistil_core.files import read_json
from bistil_core.hub import patience
from bistil_core.hub.download_dataset import download_dataset
from bistil_core.hub.download_model import download_model
from bistil_core.settings.sources import HubExamples, HubModel, HubText
from tests.hub.loopback import Fault, Repository

MODEL = HubModel(kind="hub", repository="FacebookAI/xlm-roberta-base", revision="main")
XNLI = HubExamples(kind="hub", repository="facebook/xnli", name="sw", split="test", revision="v1")
TEST_FILE = "sw/test-00000-of-00001.parquet"


@pytest.fixture
def output(tmp_path):
    return tmp_path / "downloads" / "it"


def present(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def refused(output, fetch, *wanted: str) -> str:
    with pytest.raises(BistilError) as error:
        fetch()
    for words in wanted:
        assert words in str(error.value)
    assert not output.exists(), "a failed download left an output"
    return str(error.value)


def test_a_model_comes_with_what_it_needs_and_nothing_else(hub, output, xlm_roberta):
    download_model(output, MODEL)
    wanted = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert present(output) == sorted([*wanted, "provenance.json"])
    assert all((output / name).read_bytes() == xlm_roberta.files[name] for name in wanted)
    record = read_json(output / "provenance.json")
    assert (record["repository"], record["revision"]) == (MODEL.repository, "main")
    assert record["commit"] == xlm_roberta.commit
    assert {file["name"]: file["sha256"] for file in record["files"]} == {
        name: hashlib.sha256(xlm_roberta.files[name]).hexdigest() for name in wanted
    }
    assert present(output.parent) == [f"it/{name}" for name in present(output)], "something unfinished stayed"


def test_pickled_weights_come_only_where_there_is_nothing_better(hub, output):
    files = {"config.json": b"{}", "pytorch_model.bin": b"pickle", "spm.model": b"pieces"}
    hub.repositories["models", "FacebookAI/xlm-roberta-base"] = Repository(files)
    download_model(output, MODEL)
    assert present(output) == ["config.json", "provenance.json", "pytorch_model.bin", "spm.model"]


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (["config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors"], "in several files"),
        (["config.json", "tf_model.h5"], "it has config.json, tf_model.h5"),
        (["model.safetensors"], "no config.json"),
    ],
)
def test_a_repository_that_is_no_usable_model_is_refused(hub, output, files, wanted):
    hub.repositories["models", "FacebookAI/xlm-roberta-base"] = Repository(dict.fromkeys(files, b"x"))
    refused(output, lambda: download_model(output, MODEL), wanted)


def test_a_split_comes_with_its_own_files_only(hub, output):
    download_dataset(output, XNLI)
    assert present(output) == ["provenance.json", TEST_FILE]
    record = read_json(output / "provenance.json")
    assert record["name"] == "sw"
    assert record["commit"] == hub.repositories["datasets", "facebook/xnli"].commit
    assert not hub.asked("train")


def test_folders_below_data_as_fineweb_has_them(hub, output):
    source = HubText(kind="hub", repository="HuggingFaceFW/fineweb-2", name="swh_Latn", revision="main")
    download_dataset(output, source)
    files = [f"data/swh_Latn/train/000_0000{number}.parquet" for number in (0, 1)]
    assert present(output) == [*files, "provenance.json"]


def test_of_a_large_corpus_only_as_many_files_come_as_the_characters_need(hub, output, tmp_path):
    source = HubText(
        kind="hub", repository="wikimedia/wikipedia", name="20231101.en", revision="main", maximum_characters=20_000
    )
    download_dataset(output, source)
    record = read_json(output / "provenance.json")
    assert len(record["files"]) == 2
    assert record["characters"] >= 20_000
    assert len(hub.asked(r"^/storage.*20231101\.en")) == 2
    download_dataset(tmp_path / "whole", source.model_copy(update={"maximum_characters": None}))
    assert len(read_json(tmp_path / "whole" / "provenance.json")["files"]) == 4


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"name": "yo"}, ["no configuration 'yo'", "it has: en, sw"]),
        ({"split": "dev"}, ["no `split` 'dev'", "it has: test"]),
        ({"revision": "v9"}, ["no such `revision`", "/datasets/facebook/xnli/commits/main"]),
        ({"repository": "facebook/xnly"}, ["no such repository", "HF_TOKEN is not set", "owner/name"]),
        ({"repository": "wikimedia/wikipedia", "name": "20231101.zz"}, ["20231101.en, 20231101.sw", "refs/convert"]),
    ],
)
def test_what_is_not_there_is_said_with_what_there_is(hub, output, changes, wanted):
    refused(output, lambda: download_dataset(output, XNLI.model_copy(update=changes)), *wanted)
    assert len(hub.asked("revision")) == 1, "a request that can only fail was repeated"


@pytest.mark.parametrize("status", ["408", "429", "500", "503"])
@pytest.mark.parametrize("where", [r"/revision/", r"^/storage"])
def test_a_passing_refusal_is_tried_again(hub, output, status, where):
    hub.faults = [Fault(where, status, times=2)]
    download_dataset(output, XNLI)
    assert present(output) == ["provenance.json", TEST_FILE]
    assert len(hub.asked(where)) >= 3


def test_what_does_not_pass_is_given_up_and_the_next_run_goes_on(hub, output):
    hub.faults = [Fault("^/storage", "503", times=100)]
    refused(output, lambda: download_dataset(output, XNLI), "gave up after 4 attempts", "the hub answered 503")
    assert len(hub.asked("^/storage")) == len(patience.WAITS) + 1
    hub.faults.clear()
    download_dataset(output, XNLI)
    assert present(output) == ["provenance.json", TEST_FILE]


def test_the_wait_that_the_hub_asks_for_is_kept(hub, output, monkeypatch):
    waits = []
    monkeypatch.setattr(patience.time, "sleep", waits.append)
    monkeypatch.setattr(patience, "WAITS", (1, 2, 4))
    hub.faults = [
        Fault("^/storage", "429", headers={"Retry-After": "7"}),
        Fault("^/storage", "503"),
        Fault("^/storage", "429", headers={"Retry-After": "86400"}),
    ]
    download_dataset(output, XNLI)
    assert waits == [7, 2, 300]


def test_a_connection_cut_in_mid_file_is_gone_on_from_there(hub, output):
    hub.faults = [Fault("^/storage", "cut", times=2)]
    download_dataset(output, XNLI)
    data = hub.repositories["datasets", "facebook/xnli"].files[TEST_FILE]
    assert (output / TEST_FILE).read_bytes() == data
    half = len(data) // 2
    ranges = [request.headers.get("range") for request in hub.asked("^/storage")]
    assert ranges == [None, f"bytes={half}-", f"bytes={half + (len(data) - half) // 2}-"]


def test_a_later_run_goes_on_from_what_an_earlier_one_got(hub, output, monkeypatch):
    monkeypatch.setattr(patience, "WAITS", ())
    hub.faults = [Fault("^/storage", "cut")]
    refused(output, lambda: download_dataset(output, XNLI), "gave up")
    download_dataset(output, XNLI)
    data = hub.repositories["datasets", "facebook/xnli"].files[TEST_FILE]
    assert (output / TEST_FILE).read_bytes() == data
    assert hub.asked("^/storage")[-1].headers["range"] == f"bytes={len(data) // 2}-"
    assert present(output.parent) == ["it/provenance.json", f"it/{TEST_FILE}"]


def test_a_server_that_knows_no_ranges_sends_all_anew(hub, output):
    hub.faults = [Fault("^/storage", "cut"), Fault("^/storage", "no ranges")]
    download_dataset(output, XNLI)
    assert (output / TEST_FILE).read_bytes() == hub.repositories["datasets", "facebook/xnli"].files[TEST_FILE]


@pytest.mark.parametrize(("place", "file"), [("^/storage", "model.safetensors"), ("^/FacebookAI", "config.json")])
def test_a_wrong_byte_is_noticed_and_the_file_fetched_anew(hub, output, xlm_roberta, place, file):
    hub.faults = [Fault(f"{place}.*/resolve/.*/{file}", "altered")]
    download_model(output, MODEL)
    assert (output / file).read_bytes() == xlm_roberta.files[file]
    assert len(hub.asked(f"{place}.*/resolve/.*/{file}")) == 2


def test_a_file_that_stays_wrong_is_refused_and_nothing_of_it_kept(hub, output):
    hub.faults = [Fault("^/storage", "altered", times=100)]
    refused(output, lambda: download_dataset(output, XNLI), TEST_FILE, "differs from the checksum", "was deleted")
    assert len(hub.asked("^/storage")) == 2
    assert not list(output.parent.rglob("*.parquet"))


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_gated_data_set_says_what_to_do(hub, output, status, monkeypatch):
    hub.faults = [Fault("/api/datasets", status, times=9, headers={"X-Error-Code": "GatedRepo"})]
    wanted = ("gated", "Accept its conditions", "HF_TOKEN is not set", "export HF_TOKEN")
    refused(output, lambda: download_dataset(output, XNLI), *wanted, f"{hub.endpoint}/datasets/facebook/xnli")
    assert len(hub.requests) == 1
    monkeypatch.setenv("HF_TOKEN", "hf_of_another")
    hub.requests.clear()
    text = refused(output, lambda: download_dataset(output, XNLI), "HF_TOKEN is set, but not allowed in")
    assert "hf_of_another" not in text


def test_a_file_that_is_gone_is_said(hub, output):
    hub.faults = [Fault("/resolve/.*parquet", "404", headers={"X-Error-Code": "EntryNotFound"})]
    refused(output, lambda: download_dataset(output, XNLI), TEST_FILE, "lists this file but has it no more")


def test_the_token_of_the_environment_goes_to_the_hub_alone_and_into_no_log(hub, output, monkeypatch, caplog):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.faults = [Fault("^/storage", "503"), Fault("/revision/", "429")]
    with caplog.at_level(logging.DEBUG):
        download_dataset(output, XNLI)
    for request in hub.requests:
        wanted = None if request.path.startswith("/storage") else "Bearer hf_secret"
        assert request.headers.get("authorization") == wanted, request.path
    assert "hf_secret" not in caplog.text
    assert not any("hf_secret" in path.read_text(errors="replace") for path in output.rglob("*") if path.is_file())


def test_no_token_is_sent_that_a_login_left_on_the_machine(hub, output, monkeypatch, tmp_path):
    (tmp_path / "token").write_text("hf_from_a_file")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    download_dataset(output, XNLI)
    assert {request.headers.get("authorization") for request in hub.requests} == {None}


def test_offline_nothing_is_asked(hub, output, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    refused(output, lambda: download_model(output, MODEL), "HF_HUB_OFFLINE is set", "docs/downloads.md")
    assert hub.requests == []


def test_a_hub_that_is_not_there_is_said(output, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(patience, "WAITS", (0,))
    refused(output, lambda: download_model(output, MODEL), "gave up after 2 attempts", "connection lost", "network")


def test_a_path_that_leaves_its_folder_is_refused(hub, output):
    card = "---\nconfigs:\n- config_name: sw\n  data_files: [{split: test, path: 'sw/**'}]\n---\n"
    files = {"README.md": card.encode(), "sw/../../../evil.parquet": b"x"}
    hub.repositories["datasets", "facebook/xnli"] = Repository(files)
    refused(output, lambda: download_dataset(output, XNLI), "would lie outside its folder")
    assert not hub.asked("resolve.*evil")
