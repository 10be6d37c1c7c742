import logging

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, default_data_collator, set_seed

from bistil_core import build_student
from bistil_core.data.bilingual import BilingualBatches, MaskedBlocks, ValidationBatches
from bistil_core.data.blocks import MaskingIds
from bistil_core.data.length_grouping import LengthGroupedBatches
from bistil_core.errors import BistilError
from bistil_core.settings.optimisation import Optimisation
from bistil_core.tasks import task_named
from bistil_core.training.checkpoints import Checkpoints
from bistil_core.training.objectives import Distillation, GoldLabels
from bistil_core.training.trainer import run_training
from tests.word_tokenizer import TOKENIZER

GOLD = GoldLabels(task_named("nli"))


def tiny_config(**overrides):
    return BertConfig(
        vocab_size=len(TOKENIZER), hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32, initializer_range=0.2, attn_implementation="eager", **overrides,
    )  # fmt: skip


def tiny_teacher():
    set_seed(0)
    return BertForSequenceClassification(tiny_config(num_labels=2)).eval()


def examples(count: int, seed: int) -> list[dict]:
    """The label says whether the first word comes from the upper half of the vocabulary."""
    generator = np.random.default_rng(seed)
    ids = generator.integers(4, 44, size=(count, 8))
    return [
        {"input_ids": torch.tensor(row), "attention_mask": torch.ones(8, dtype=torch.long), "labels": int(row[0] >= 24)}
        for row in ids
    ]


def accuracy(model):
    """The share of the validation set that a model gets right."""
    batch = default_data_collator(examples(100, 1))
    labels = batch.pop("labels")
    model.eval()
    with torch.no_grad():
        right = model(**batch).logits.argmax(-1) == labels
    return {"accuracy": float(right.float().mean())}


def shuffled(count, batch_size, steps, seed=1):
    """Batches of a shuffled training set whose examples are all of one length."""
    return LengthGroupedBatches(np.full(count, 8), batch_size, steps, seed)


def learn(tmp_path, model, steps, objective=GOLD, **options):
    return run_training(
        model,
        stage="test",
        checkpoints=Checkpoints(tmp_path / "checkpoints"),
        settings=Optimisation(learning_rate=5e-3, batch_size=16),
        seed=1,
        train_dataset=examples(400, 0),
        eval_dataset=examples(100, 1),
        steps=steps,
        select_by="accuracy",
        objective=objective,
        data_collator=default_data_collator,
        **({"evaluate_every": 20, "score": accuracy, "train_batches": shuffled(400, 16, steps)} | options),
    )


def test_gold_labels_are_learnt_and_the_best_checkpoint_is_kept(tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="bistil")
    set_seed(1)
    model = BertForSequenceClassification(tiny_config(num_labels=2))
    record = learn(tmp_path, model, 100)
    scores = {entry["step"]: entry["accuracy"] for entry in record.validation}
    assert record.best == max(scores.values()) >= 0.9
    assert scores[record.best_step] == record.best
    batch = default_data_collator(examples(100, 1))
    with torch.no_grad():
        predicted = model.eval()(**batch).logits.argmax(-1)
    assert (predicted == batch["labels"]).double().mean().item() == pytest.approx(record.best)
    assert record.training[0]["loss"] > record.training[-1]["loss"]
    assert any("tokens/s" in line and "left" in line and "task" in line for line in caplog.messages)


def test_of_equally_good_checkpoints_the_last_is_kept(tmp_path):
    def learn_with(scores):
        folder, model, scores = tmp_path / str(scores), tiny_teacher(), iter(scores)
        return learn(folder, model, steps=60, score=lambda _: {"accuracy": next(scores)}), model

    record, tied = learn_with([1.0, 1.0, 1.0])
    assert record.best_step == 60
    _, rising = learn_with([0.1, 0.2, 0.3])
    for name, value in tied.state_dict().items():
        assert torch.equal(value, rising.state_dict()[name]), name
    assert learn_with([0.5, 1.0, 0.9])[0].best_step == 40


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    weights = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        set_seed(1)
        model = BertForSequenceClassification(tiny_config(num_labels=2))
        learn(folder, model, 20)
        weights.append(model.state_dict())
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_phase_1_brings_the_student_closer_to_its_teacher(tmp_path):
    teacher = tiny_teacher().base_model
    student = build_student(teacher, 2)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    generator = np.random.default_rng(0)
    blocks = {language: generator.integers(4, 44, size=(64, 12), dtype=np.int32) for language in ("en", "sw")}
    dataset = MaskedBlocks(blocks, MaskingIds.of(TOKENIZER), 0.15, 0)
    record = run_training(
        student,
        stage="phase 1",
        checkpoints=Checkpoints(tmp_path / "checkpoints"),
        settings=Optimisation(learning_rate=2e-3, batch_size=8),
        seed=0,
        train_dataset=dataset,
        eval_dataset=dataset,
        train_batches=BilingualBatches({"en": 64, "sw": 64}, 8, 150, 0),
        eval_batches=ValidationBatches({"en": 64, "sw": 64}, 8),
        objective=Distillation(teacher),
        steps=150,
        evaluate_every=30,
        data_collator=default_data_collator,
    )
    losses = [entry["loss"] for entry in record.validation]
    assert losses[-1] < 0.7 * record.training[0]["loss"]
    assert record.best == min(losses)
    assert set(record.training[0]) == {"step", "loss", "attention", "hidden"}
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_a_teacher_whose_attentions_are_all_zero_is_an_error():
    teacher = tiny_teacher().base_model
    student = build_student(teacher, 2)

    def zero_attentions(module, arguments, outputs):
        outputs.attentions = tuple(torch.zeros_like(layer) for layer in outputs.attentions)

    teacher.register_forward_hook(zero_attentions)
    batch = default_data_collator(examples(4, 0))
    with pytest.raises(BistilError, match="attention probabilities are all 0"):
        Distillation(teacher)(student, batch)


def test_a_teacher_without_attentions_is_an_error():
    teacher = tiny_teacher().base_model
    student = build_student(teacher, 2)
    teacher.set_attn_implementation("sdpa")
    with pytest.raises(BistilError, match="attn_implementation='eager'"):
        Distillation(teacher)(student, default_data_collator(examples(4, 0)))
