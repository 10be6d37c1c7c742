import json

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, BertConfig, BertForMaskedLM

from bistil_core.errors import BistilError
from bistil_core.miniature.corpus import generate_corpus
from bistil_core.miniature.languages import PRETRAINING_LANGUAGES
from bistil_core.models.loading import load_tokenizer
from bistil_core.models.model_files import MINIATURE
from bistil_core.models.prepare_base_model import prepare_base_model
from bistil_core.settings.sources import MiniatureModel, MiniatureModelWithIndonesian, ModelFolder, RandomModel
from tests.vocabulary.sentencepiece_files import train
from tests.word_tokenizer import TOKENIZER


@pytest.fixture
def folder(tmp_path):
    """A model folder as a user has it."""
    path = tmp_path / "mine"
    config = BertConfig(
        vocab_size=len(TOKENIZER), hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
    )
    BertForMaskedLM(config).save_pretrained(path)
    TOKENIZER.save_pretrained(path)
    return path


def prepare(tmp_path, source, seed=0):
    prepare_base_model(tmp_path / "out", "mine", source, seed)
    return tmp_path / "out"


def test_a_folder_is_taken_over_with_its_checksum(folder, tmp_path):
    (folder / "pytorch_model.bin").write_bytes(b"a pickle that must not come along")
    output = prepare(tmp_path, ModelFolder(kind="folder", path=str(folder)))
    assert (output / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert not (output / "pytorch_model.bin").exists()
    assert json.loads((output / "provenance.json").read_text())["name"] == "mine"
    assert AutoTokenizer.from_pretrained(output)("w1 w2")["input_ids"] == TOKENIZER("w1 w2")["input_ids"]


@pytest.mark.parametrize(
    ("missing", "wanted"),
    [
        ("config.json", "no config.json"),
        ("tokenizer.json", "no tokenizer"),
        ("model.safetensors", "no model.safetensors. Pickled weights are not read"),
    ],
)
def test_a_folder_that_lacks_a_file_is_refused_by_name(folder, tmp_path, missing, wanted):
    (folder / missing).unlink()
    with pytest.raises(BistilError, match=rf"base_models\.mine\.source\.path: .*{wanted}"):
        prepare(tmp_path, ModelFolder(kind="folder", path=str(folder)))
    assert not (tmp_path / "out").exists()


def test_an_unknown_model_family_is_named_with_those_that_are_known(folder, tmp_path):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "gpt2"}))
    with pytest.raises(BistilError, match=r"'gpt2'; known are .*bert.*xlm-roberta"):
        prepare(tmp_path, ModelFolder(kind="folder", path=str(folder)))


def test_random_weights_follow_the_seed(folder, tmp_path):
    source = RandomModel(
        kind="random",
        model_type="bert",
        tokenizer=str(folder),
        config={"hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16},
    )
    first = (prepare(tmp_path, source, seed=1) / "model.safetensors").read_bytes()
    assert (prepare(tmp_path, source, seed=1) / "model.safetensors").read_bytes() == first
    assert (prepare(tmp_path, source, seed=2) / "model.safetensors").read_bytes() != first
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "out")
    assert model.config.num_hidden_layers == 3
    assert model.get_input_embeddings().weight.shape == (len(TOKENIZER), 8)
    assert model.config.pad_token_id == TOKENIZER.pad_token_id


def test_a_rehearsal_with_xlm_roberta_s_tokenizer_keeps_its_sentencepiece_file(tmp_path):
    file = train(tmp_path / "some.model", vocab_size=1000)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    source = RandomModel(kind="random", model_type="xlm-roberta", tokenizer=str(file), config=sizes)
    output = prepare(tmp_path, source)
    assert (output / "sentencepiece.bpe.model").read_bytes() == file.read_bytes()
    assert len(AutoTokenizer.from_pretrained(output)) == 1002


def test_the_shipped_model_fills_its_masks_better_than_chance(tmp_path):
    output = prepare(tmp_path, MiniatureModel(kind="miniature"))
    model, tokenizer = AutoModelForMaskedLM.from_pretrained(output).eval(), AutoTokenizer.from_pretrained(output)
    assert model.get_input_embeddings().weight.shape[0] == len(tokenizer)
    texts = list(generate_corpus("sw", 40, seed=99))
    batch = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=64)
    labels = batch["input_ids"].clone()
    generator = torch.Generator().manual_seed(0)
    masked = (torch.rand(labels.shape, generator=generator) < 0.1) & (labels > 3)
    batch["input_ids"][masked] = tokenizer.mask_token_id
    with torch.no_grad():
        predicted = model(**batch).logits.argmax(-1)
    assert (predicted == labels)[masked].double().mean() > 0.25


def test_with_pieces_for_indonesian_the_shipped_model_does_as_before_in_the_languages_that_it_knows(tmp_path):
    before, shipped = load_tokenizer(MINIATURE), AutoModelForMaskedLM.from_pretrained(MINIATURE).eval()
    output = prepare(tmp_path, MiniatureModelWithIndonesian(kind="miniature_with_indonesian"))
    tokenizer, model = load_tokenizer(output), AutoModelForMaskedLM.from_pretrained(output).eval()
    assert len(tokenizer) == model.config.vocab_size == len(model.get_input_embeddings().weight) > len(before) + 100
    for language in PRETRAINING_LANGUAGES:
        documents = list(generate_corpus(language, 300, seed=99))
        batch = before(documents, return_tensors="pt", padding=True)
        assert torch.equal(tokenizer(documents, return_tensors="pt", padding=True)["input_ids"], batch["input_ids"])
    with torch.no_grad():
        logits = model(**batch).logits[..., : len(before)]
        torch.testing.assert_close(logits, shipped(**batch).logits, rtol=0, atol=1e-5)
    indonesian = list(generate_corpus("id", 300, seed=99))
    pieces, letters = ([len(each.tokenize(text)) for text in indonesian] for each in (tokenizer, before))
    assert sum(pieces) < 0.4 * sum(letters)
    # Drawn once and for all, not by the seed of an experiment.
    first = (output / "model.safetensors").read_bytes()
    (tmp_path / "again").mkdir()
    again = prepare(tmp_path / "again", MiniatureModelWithIndonesian(kind="miniature_with_indonesian"), seed=7)
    assert (again / "model.safetensors").read_bytes() == first
    assert (again / "tokenizer.json").read_bytes() == (output / "tokenizer.json").read_bytes()
