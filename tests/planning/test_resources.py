import pytest

from bistil_core.planning.resources import (
    OCCURRING_TOKENS,
    PROCESS,
    fine_tuning_need,
    language_sft_need,
    phase1_need,
    training_need,
)
from bistil_core.planning.shapes import ModelShape
from bistil_core.settings.language_sft import TrainLanguageSftSettings
from bistil_core.settings.phase1 import Phase1Settings
from bistil_core.settings.tasks import Phase2Settings

XLMR = ModelShape(layers=12, hidden=768, intermediate=3072, heads=12, vocabulary=250_002)
PHASE1 = Phase1Settings(steps=1000, batch_size=8, block_length=256, learning_rate=1e-4, evaluate_every=100)
PHASE2 = Phase2Settings(
    density=0.1, dense_epochs=2, sparse_epochs=3, batch_size=32, learning_rate=1e-5, max_length=128
)  # fmt: skip


def learnt(teacher=None, **sizes):
    """Four steps with two rows of 8 tokens; no data, no validation."""
    settings = Phase1Settings(steps=4, batch_size=2, block_length=8, learning_rate=1e-4, evaluate_every=4)
    sizes = {"steps": 4, "length": 8, "tokens": 8, "validated": 0, "data": 0.0, **sizes}
    return training_need(XLMR, settings, teacher=teacher, **sizes)


def labelled(settings, teacher=None, **sizes):
    """A fine-tuning on 32,000 examples of full length without validations."""
    sizes = {"examples": 32_000, "validation": 0, "data": 0.0, "tokens": settings.max_length, **sizes}
    return fine_tuning_need(XLMR, settings, teacher=teacher, **sizes)


def test_learning_is_three_passes_and_a_teacher_or_a_validation_one():
    once = XLMR.forward_flops(4 * 2 * 8, 8)
    assert learnt().flops == 3 * once
    assert learnt(teacher=XLMR).flops == 4 * once
    assert learnt(validated=8).flops == 4 * once
    assert learnt(teacher=XLMR).passes == 4 * 12 * 4


def test_time_is_what_rows_have_and_memory_what_they_may_have():
    short = learnt(tokens=4)
    assert short.bytes == learnt().bytes
    assert short.flops < learnt().flops / 2


def test_work_is_proportional_to_steps_and_tokens():
    bare = PHASE1.model_copy(update={"validation_blocks": 0})
    once = phase1_need(XLMR, bare, 0.0)
    for name in ("steps", "batch_size"):
        twice = phase1_need(XLMR, bare.model_copy(update={name: 2 * getattr(PHASE1, name)}), 0.0)
        assert twice.flops == 2 * once.flops
        assert (twice.bytes > once.bytes) == (name != "steps")


def test_dense_training_alone_has_no_sparse_epochs():
    sparse, dense = (labelled(PHASE2.model_copy(update={"density": density})) for density in (0.1, 1.0))
    assert sparse.flops / dense.flops == pytest.approx(5 / 2)


def test_a_teacher_beside_the_student_adds_to_both():
    alone, taught = (labelled(PHASE2, teacher) for teacher in (None, XLMR))
    assert taught.bytes > alone.bytes + 4 * XLMR.parameters
    assert taught.flops == pytest.approx(4 / 3 * alone.flops)


def test_masked_language_modelling_has_the_logits_of_the_tokens_that_occur():
    settings = TrainLanguageSftSettings(learning_rate=1e-4, batch_size=8)
    logits = 8 * 256 * OCCURRING_TOKENS * 4
    assert language_sft_need(XLMR, settings, 0.0).bytes > PROCESS + 20 * XLMR.parameters + logits


def test_a_language_sft_is_as_long_as_its_corpus_within_its_bounds():
    settings = TrainLanguageSftSettings(learning_rate=1e-4, batch_size=8, validation_blocks=1, evaluate_every=10**6)
    least, some, most = (language_sft_need(XLMR, settings, data).passes for data in (0.0, 1e6, 1e9))
    assert least == 2 * 30_000 * 36
    assert least < some < most == 2 * 100_000 * 36
