import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, set_seed

from bistil_core.files import read_json, write_json
from bistil_core.models.loading import load_encoder
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.settings.language_sft import TrainLanguageSftSettings
from bistil_core.training.objectives import MaskedLanguageModelling
from bistil_core.training.train_language_sft import steps_of_each_phase, train_language_sft
from tests.word_tokenizer import TOKENIZER


@pytest.fixture
def inputs(tmp_path):
    """A base model, and a corpus of a language in which w1 always follows w2."""
    set_seed(0)
    config = BertConfig(
        vocab_size=len(TOKENIZER), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=32,
    )  # fmt: skip
    BertForMaskedLM(config).save_pretrained(tmp_path / "base")
    TOKENIZER.save_pretrained(tmp_path / "base")
    write_json(tmp_path / "base" / "provenance.json", {"name": "tiny", "revision": "r1"})
    (tmp_path / "corpus").mkdir()
    for split, rows in (("train", 200), ("validation", 40)):
        texts = ["w1 w2 " * 7] * rows
        pq.write_table(pa.table({"text": texts}), tmp_path / "corpus" / f"{split}.parquet")
    return tmp_path


def settings(**overrides):
    values = {
        "learning_rate": 1e-2, "batch_size": 8, "density": 0.1, "maximum_steps": 60, "minimum_steps": 1,
        "block_length": 16, "validation_blocks": 16, "evaluate_every": 30, "dropout": 0.0, **overrides,
    }  # fmt: skip
    return TrainLanguageSftSettings(**values)


def learn(inputs, name, **overrides):
    train_language_sft(
        inputs / "base", inputs / "corpus", inputs / f"{name}.safetensors", inputs / f"{name}.json", "xx",
        settings(**overrides), seed=1,
    )  # fmt: skip
    return SparseFineTuning.load(inputs / f"{name}.safetensors"), read_json(inputs / f"{name}.json")


def test_the_language_is_learnt_by_the_share_of_the_encoder_that_may_move(inputs):
    sft, record = learn(inputs, "sft", freeze_layer_norm=True)
    losses = [each["loss"] for each in record["sparse"]["validation"]]
    assert losses[-1] < 0.8 * np.log(len(TOKENIZER))
    size = sum(torch.Size(shape).numel() for shape in sft.shapes.values())
    assert 0.05 * size < sft.tuned_parameters <= 0.1 * size
    assert not any("LayerNorm" in name for name in sft.shapes)
    assert (sft.replacements, sft.metadata["language"]) == ({}, "xx")
    assert (sft.metadata["base_model"], sft.metadata["revision"]) == ("tiny", "r1")
    encoder = load_encoder(inputs / "base")
    before = {name: value.detach().clone() for name, value in encoder.named_parameters()}
    sft.apply(encoder)
    sft.revert(encoder)
    assert all(torch.equal(value, before[name]) for name, value in encoder.named_parameters())


def test_the_same_seed_gives_the_same_bytes(inputs):
    learn(inputs, "one", maximum_steps=5)
    learn(inputs, "other", maximum_steps=5)
    assert (inputs / "one.safetensors").read_bytes() == (inputs / "other.safetensors").read_bytes()


def test_regularisation_keeps_the_difference_small(inputs):
    def norm(sft):
        return sum(float(values.abs().sum()) for _, values in sft.differences.values())

    free, _ = learn(inputs, "free", density=1.0)
    held, record = learn(inputs, "held", density=1.0, regularisation=1000.0)
    assert norm(held) < 0.5 * norm(free)
    assert record["dense"]["training"][-1]["regularisation"] > 0


@pytest.mark.parametrize(("steps_per_epoch", "steps"), [(1, 30_000), (200, 40_000), (1000, 100_000)])
def test_steps_are_the_lesser_of_both_maxima_but_not_below_the_minimum(steps_per_epoch, steps):
    chosen = TrainLanguageSftSettings(learning_rate=5e-5, batch_size=8)
    assert steps_of_each_phase(chosen, steps_per_epoch) == steps
    assert (chosen.density, chosen.block_length, chosen.mask_probability) == (0.04, 256, 0.15)


def test_the_loss_is_that_of_transformers_and_0_without_a_mask(inputs):
    model = BertForMaskedLM.from_pretrained(inputs / "base")
    ids = torch.randint(4, 40, (2, 10))
    labels = torch.where(torch.rand(2, 10) < 0.5, ids, -100)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}
    objective = MaskedLanguageModelling({})
    torch.testing.assert_close(objective(model, batch)["masked"], model(**batch).loss)
    assert objective(model, {**batch, "labels": torch.full_like(ids, -100)})["masked"] == 0
