import os
import pickle

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoTokenizer, XLMRobertaForMaskedLM

from bistil_core.data.example_sources import hub as example_source
from bistil_core.data.prepare_corpus import prepare_corpus
from bistil_core.data.prepare_test_data import prepare_test_data
from bistil_core.data.prepare_training_data import prepare_training_data
from bistil_core.data.text_sources import hub as text_source
from bistil_core.downloads import dataset_folder, filled_in, model_folder
from bistil_core.errors import BistilError
from bistil_core.files import read_json
from bistil_core.hub.download_dataset import download_dataset
from bistil_core.hub.download_model import download_model
from bistil_core.models.loading import load_encoder
from bistil_core.models.prepare_base_model import prepare_base_model
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.settings.corpora import CorpusSettings
from bistil_core.settings.sources import HubExamples, HubModel, HubText
from tests.hub.loopback import Repository

MODEL = HubModel(kind="hub", repository="FacebookAI/xlm-roberta-base", revision="main")
XNLI = HubExamples(kind="hub", repository="facebook/xnli", name="{language}", split="test", revision="v1")
WIKIPEDIA = HubText(kind="hub", repository="wikimedia/wikipedia", name="20231101.en", revision="main")


def fetched(hub, source, language):
    """Download, and forget the requests: whatever comes after must make none."""
    folder = dataset_folder(source, language)
    download_dataset(folder, filled_in(source, language))
    hub.requests.clear()
    return folder


def test_places_name_repository_configuration_split_and_revision():
    assert model_folder(MODEL).as_posix() == "results/downloads/models/FacebookAI--xlm-roberta-base_main"
    assert dataset_folder(XNLI, "sw").as_posix() == "results/downloads/datasets/facebook--xnli_sw_test_v1"
    source = WIKIPEDIA.model_copy(update={"name": None, "revision": "refs/convert/parquet"})
    assert dataset_folder(source, "en").name == "wikimedia--wikipedia_train_refs--convert--parquet"


def test_test_data_of_a_language_come_from_its_configuration(hub, tmp_path):
    fetched(hub, XNLI, "sw")
    prepare_test_data(tmp_path / "out", "nli", "sw", XNLI, seed=1)
    labels = pq.read_table(tmp_path / "out" / "test.parquet")["label"].to_pylist()
    assert labels == [(row + 1) % 3 for row in range(30)]
    commit = hub.repositories["datasets", "facebook/xnli"].commit
    provenance = read_json(tmp_path / "out" / "provenance.json")["test"]
    assert (provenance["name"], provenance["revision"], provenance["examples"]) == ("facebook/xnli sw test", commit, 30)
    assert provenance["sha256"] == read_json(dataset_folder(XNLI, "sw") / "provenance.json")["files"][0]["sha256"]
    assert hub.requests == []


def test_several_files_are_joined_in_order_and_columns_renamed(hub, tmp_path):
    columns = {"premise": "hypothesis", "hypothesis": "premise"}
    train, validation = (
        HubExamples(kind="hub", repository="nyu-mll/multi_nli", split=split, revision="main", columns=columns)
        for split in ("train", "validation_matched")
    )
    for source in (train, validation):
        fetched(hub, source, "en")
    prepare_training_data(tmp_path / "out", "nli", "en", train, validation, seed=1)
    table = pq.read_table(tmp_path / "out" / "train.parquet")
    assert table["label"].to_pylist() == [row % 3 for row in range(48)] + [(row + 1) % 3 for row in range(48)]
    original = pq.read_table(dataset_folder(train, "en") / "data/train-00000-of-00002.parquet")
    assert table["premise"][0].as_py() == original["hypothesis"][0].as_py()


def test_a_corpus_is_read_whole_in_order(hub):
    fetched(hub, WIKIPEDIA, "en")
    documents = text_source.documents(WIKIPEDIA, "en", seed=1)
    texts = list(documents.texts)
    assert len(texts) == 400
    assert [text.rpartition(" ")[2] for text in texts] == [str(row) for row in range(400)]
    assert [file["name"][-22:-8] for file in documents.files] == [f"0000{part}-of-00004"[:14] for part in range(4)]
    assert documents.revision == hub.repositories["datasets", "wikimedia/wikipedia"].commit


def test_of_more_text_than_wanted_a_sample_is_taken(hub):
    limited = WIKIPEDIA.model_copy(update={"maximum_characters": 12_000})
    fetched(hub, limited, "en")

    def taken(seed):
        return list(text_source.documents(limited, "en", seed).texts)

    first = taken(1)
    assert 9_000 < sum(map(len, first)) <= 12_000
    assert taken(1) == first
    assert taken(2) != first
    numbers = [int(text.rpartition(" ")[2]) for text in first]
    assert max(numbers) - min(numbers) > 2 * len(numbers), "the sample is one stretch of the corpus"


def test_a_corpus_is_prepared_with_its_provenance(hub, tmp_path):
    fetched(hub, WIKIPEDIA, "en")
    prepare_corpus(tmp_path / "out", "en", CorpusSettings(source=WIKIPEDIA), seed=1)
    provenance = read_json(tmp_path / "out" / "provenance.json")
    assert (provenance["kind"], provenance["name"]) == ("hub", "wikimedia/wikipedia 20231101.en train")
    assert len(provenance["files"]) == 4
    assert provenance["documents"]["kept"] == 400


def test_a_missing_text_column_is_named_with_those_that_are_there(hub):
    source = WIKIPEDIA.model_copy(update={"text_column": "body"})
    fetched(hub, source, "en")
    with pytest.raises(BistilError, match=r"'body' \(`text_column`\), found: id \(string\), text \(string\)"):
        list(text_source.documents(source, "en", seed=1).texts)
    limited = source.model_copy(update={"maximum_characters": 10})
    with pytest.raises(BistilError, match=r"'body' \(`text_column`\)"):
        fetched(hub, limited, "en")


def test_without_a_download_the_folder_is_named(hub):
    with pytest.raises(BistilError, match="facebook--xnli_sw_test_v1: no finished download"):
        example_source.examples(XNLI, "nli", "sw", "test", seed=1)


def test_a_model_of_the_hub_becomes_a_base_model(hub, tmp_path, xlm_roberta):
    download_model(model_folder(MODEL), MODEL)
    prepare_base_model(tmp_path / "out", "xlmr", MODEL, seed=1)
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == xlm_roberta.files["model.safetensors"]
    provenance = read_json(tmp_path / "out" / "provenance.json")
    assert (provenance["name"], provenance["revision"]) == ("FacebookAI/xlm-roberta-base", xlm_roberta.commit)
    assert AutoTokenizer.from_pretrained(tmp_path / "out", local_files_only=True)("abc")["input_ids"]


def test_pickled_weights_of_the_hub_become_safetensors(hub, tmp_path, xlm_roberta):
    (tmp_path / "model").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "model" / name).write_bytes(xlm_roberta.files[name])
    model = XLMRobertaForMaskedLM.from_pretrained(tmp_path / "model")
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    files = {**xlm_roberta.files, "pytorch_model.bin": (tmp_path / "pytorch_model.bin").read_bytes()}
    del files["model.safetensors"]
    hub.repositories["models", MODEL.repository] = Repository(files)
    download_model(model_folder(MODEL), MODEL)
    prepare_base_model(tmp_path / "out", "xlmr", MODEL, seed=1)
    assert not (tmp_path / "out" / "pytorch_model.bin").exists()
    assert load_file(tmp_path / "out" / "model.safetensors").keys() == model.state_dict().keys()
    again = AutoModelForMaskedLM.from_pretrained(tmp_path / "out", use_safetensors=True).state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in model.state_dict().items())


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("harmed",)


@pytest.mark.parametrize("weights", [pickle.dumps(Malicious()), b"no weights at all", b""])
def test_pickled_code_is_not_run(hub, tmp_path, xlm_roberta, weights):
    files = {**xlm_roberta.files, "pytorch_model.bin": weights}
    del files["model.safetensors"]
    hub.repositories["models", MODEL.repository] = Repository(files)
    download_model(model_folder(MODEL), MODEL)
    with pytest.raises(BistilError, match=r"pytorch_model\.bin: not read"):
        prepare_base_model(tmp_path / "out", "xlmr", MODEL, seed=1)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "harmed").exists()


def test_a_language_sft_of_the_hub_applies_to_its_base_model(hub, tmp_path):
    download_model(model_folder(MODEL), MODEL)
    base = load_encoder(model_folder(MODEL))
    before = {name: value.detach().clone() for name, value in base.named_parameters()}
    masks = {name: torch.rand(value.shape) < 0.1 for name, value in before.items() if "encoder.layer" in name}
    tuned = {name: value + 0.5 * masks[name] for name, value in before.items() if name in masks}
    head = {"lm_head.bias": torch.ones(3)}
    SparseFineTuning.difference(before, tuned, masks, replaced=head).save_composable(tmp_path / "published")
    published = {"pytorch_diff.bin": (tmp_path / "published" / "pytorch_diff.bin").read_bytes()}
    hub.repositories["models", "owner/xlmr-lang-sft-xx"] = Repository({**published, "README.md": b"# card\n"})
    source = HubModel(kind="hub", repository="owner/xlmr-lang-sft-xx", revision="main")
    folder = model_folder(source)
    download_model(folder, source)
    assert sorted(path.name for path in folder.iterdir()) == ["provenance.json", "pytorch_diff.bin"]
    assert read_json(folder / "provenance.json")["commit"] == hub.repositories["models", source.repository].commit
    SparseFineTuning.load(folder).without_replacements().apply(base)
    for name, value in base.named_parameters():
        torch.testing.assert_close(value, tuned.get(name, before[name]))
