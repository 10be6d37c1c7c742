from dataclasses import replace

import pytest
from transformers import XLMRobertaConfig

from bistil_core.models.student import student_config
from bistil_core.resources import PROCESS, ModelShape, fine_tuning_need, language_sft_need, parquet_size, phase1_need
from bistil_core.settings.language_sft import TrainLanguageSftSettings
from bistil_core.settings.phase1 import Phase1Settings
from bistil_core.settings.tasks import Phase2Settings

XLMR = ModelShape(layers=12, hidden=768, intermediate=3072, heads=12, vocabulary=250_002)
PHASE1 = Phase1Settings(steps=1000, batch_size=8, block_length=256, learning_rate=1e-4, evaluate_every=100)
PHASE2 = Phase2Settings(
    density=0.1, dense_epochs=2, sparse_epochs=3, batch_size=32, learning_rate=1e-5, max_length=128
)  # fmt: skip


def test_a_shape_is_read_from_the_folder_of_a_model(tmp_path):
    config = XLMRobertaConfig(hidden_size=48, num_hidden_layers=4, num_attention_heads=2, vocab_size=99)
    config.save_pretrained(tmp_path)
    assert ModelShape.of(tmp_path) == ModelShape(4, 48, config.intermediate_size, 2, 99)
    student_config(config, 2).save_pretrained(tmp_path / "student")
    assert ModelShape.of(tmp_path / "student").layers == 2


def test_the_shape_of_a_published_model_has_no_fewer_parameters_than_the_model():
    assert 278e6 < XLMR.parameters < 1.15 * 278e6


def test_what_is_not_there_yet_is_named_as_snakemake_knows_it(tmp_path):
    for ask in (ModelShape.of, parquet_size):
        with pytest.raises(FileNotFoundError) as error:
            ask(str(tmp_path / "later"))
        assert error.value.filename == str(tmp_path / "later")


def test_work_is_proportional_to_steps_and_tokens():
    once = phase1_need(XLMR, PHASE1, 0.0)
    for name in ("steps", "batch_size", "block_length"):
        twice = phase1_need(XLMR, PHASE1.model_copy(update={name: 2 * getattr(PHASE1, name)}), 0.0)
        assert twice.flops == 2 * once.flops
        assert (twice.bytes > once.bytes) == (name != "steps")


def test_attention_maps_need_memory_by_the_square_of_the_length():
    def maps(length):
        without = replace(XLMR, heads=0)
        return XLMR.activations(2048, length) - without.activations(2048, length)

    assert maps(512) == 2 * maps(256)


def test_dense_training_alone_has_no_sparse_epochs():
    sparse, dense = (
        fine_tuning_need(XLMR, PHASE2.model_copy(update={"density": density}), 32_000, 0.0) for density in (0.1, 1.0)
    )
    assert sparse.flops / dense.flops == pytest.approx(5 / 2, rel=0.01)


def test_a_teacher_beside_the_student_adds_to_both():
    alone, taught = (fine_tuning_need(XLMR, PHASE2, 32_000, 0.0, teacher) for teacher in (None, XLMR))
    assert taught.bytes > alone.bytes + 4 * XLMR.parameters
    assert taught.flops == pytest.approx(4 / 3 * alone.flops)


def test_masked_language_modelling_has_the_logits_of_the_whole_vocabulary():
    settings = TrainLanguageSftSettings(learning_rate=1e-4, batch_size=8)
    logits = 8 * 256 * XLMR.vocabulary * 4
    assert language_sft_need(XLMR, settings, 0.0).bytes > PROCESS + 20 * XLMR.parameters + logits
