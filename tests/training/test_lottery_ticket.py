import math

import pytest
import torch
from transformers import BertForSequenceClassification, default_data_collator, set_seed

from bistil_core.settings.optimisation import SparseOptimisation
from bistil_core.tasks import task_named
from bistil_core.training.checkpoints import Checkpoints
from bistil_core.training.lottery_ticket import freeze, head_parameters, lottery_ticket, sparsified_group
from bistil_core.training.objectives import GoldLabels
from bistil_core.training.trainer import run_training
from tests.training.test_trainer import accuracy, examples, shuffled, tiny_config

NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def settings(**overrides):
    values = {
        "learning_rate": 5e-3, "batch_size": 16, "density": 0.1, "dense_epochs": 3, "sparse_epochs": 4,
        "max_length": 8, **overrides,
    }  # fmt: skip
    return SparseOptimisation(**values)


def learn(tmp_path, chosen):
    set_seed(1)
    model = BertForSequenceClassification(tiny_config(num_labels=2, **NO_DROPOUT))
    freeze(model, chosen)
    start = {name: value.detach().clone() for name, value in model.named_parameters()}

    def train(phase, optimiser):
        epochs = chosen.dense_epochs if phase == "dense" else chosen.sparse_epochs
        return run_training(
            model,
            stage=phase,
            checkpoints=Checkpoints(tmp_path / phase),
            settings=chosen,
            seed=0,
            train_dataset=examples(400, 0),
            eval_dataset=examples(200, 1),
            objective=GoldLabels(task_named("nli")),
            steps=round(epochs * 25),
            train_batches=shuffled(400, chosen.batch_size, round(epochs * 25)),
            evaluate_every=25,
            select_by="accuracy",
            optimizer=optimiser,
            data_collator=default_data_collator,
            score=accuracy,
        )

    sft, records = lottery_ticket(model, chosen, train)
    return model, start, sft, records


def test_only_the_selected_parameters_and_the_head_move_and_the_task_is_learnt(tmp_path):
    model, start, sft, records = learn(tmp_path, settings(weight_decay=0.1))
    assert records["sparse"].best >= 0.85
    group, head = sparsified_group(model), head_parameters(model)
    assert set(head) == {"classifier.weight", "classifier.bias"}
    size = sum(value.numel() for value in group.values())
    moved = 0
    for name, value in group.items():
        changed = value != start[f"bert.{name}"]
        indices, _ = sft.differences[name]
        outside = torch.ones(value.numel(), dtype=torch.bool)
        outside[indices] = False
        assert torch.equal(value.detach().flatten()[outside], start[f"bert.{name}"].flatten()[outside])
        moved += int(changed.sum())
    assert 0.9 * math.floor(0.1 * size) <= moved <= math.floor(0.1 * size)
    assert all(not torch.equal(value, start[name]) for name, value in head.items())


def test_the_base_plus_its_sft_is_the_model_that_was_trained(tmp_path):
    model, start, sft, _ = learn(tmp_path, settings())
    sft.save(tmp_path / "sft.safetensors")
    fresh = BertForSequenceClassification(tiny_config(num_labels=2))
    fresh.load_state_dict({**fresh.state_dict(), **start})
    type(sft).load(tmp_path / "sft.safetensors").apply(fresh)
    for name, value in model.named_parameters():
        torch.testing.assert_close(fresh.get_parameter(name), value, rtol=0, atol=1e-7)


def test_frozen_parameters_do_not_move(tmp_path):
    chosen = settings(freeze_embeddings=True, freeze_layer_norm=True, freeze_layers=1)
    model, start, sft, _ = learn(tmp_path, chosen)
    frozen = [name for name in start if "LayerNorm" in name or "embeddings" in name or "layer.0." in name]
    assert len(frozen) > 20
    for name in frozen:
        assert torch.equal(model.get_parameter(name), start[name])
        assert name.removeprefix("bert.") not in sft.differences


def test_density_1_is_plain_full_fine_tuning(tmp_path):
    _, _, sft, records = learn(tmp_path, settings(density=1.0))
    assert list(records) == ["dense"]
    assert sft.density > 0.5


@pytest.mark.parametrize("density", [0.0, -0.1, 1.1])
def test_densities_outside_0_to_1_are_refused(density):
    with pytest.raises(ValueError, match="density"):
        settings(density=density)
