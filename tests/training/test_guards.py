import pytest
import torch
from transformers import BertForSequenceClassification, set_seed

from bistil_core.errors import BistilError
from bistil_core.training.checkpoints import Checkpoints
from bistil_core.training.guards import FiniteGuard, check_space, describe_batch, loss_warnings, space_needed
from bistil_core.training.sparse_optimiser import SparseAdamW
from tests.training.test_trainer import GOLD, learn, shuffled, tiny_config, tiny_teacher


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_a_number_that_is_none_stops_the_training_and_names_step_and_batch(tmp_path, where):
    calls = 0

    def poisoned(model, batch):
        nonlocal calls
        calls += 1
        parts = GOLD(model, batch)
        if calls == 23 and where == "loss":
            parts["task"] = parts["task"] * float("nan")
        if calls == 23 and where == "gradient":
            parts["task"].register_hook(lambda gradient: gradient * float("inf"))
        return parts

    set_seed(1)
    model = BertForSequenceClassification(tiny_config(num_labels=2))
    with pytest.raises(BistilError, match="test: not finite at step 23") as refusal:
        learn(tmp_path, model, 40, poisoned, evaluate_every=10)
    batch = list(shuffled(400, 16, 40))[22]
    assert f"examples {', '.join(map(str, batch))}." in str(refusal.value)
    assert Checkpoints(tmp_path / "checkpoints").newest() == 20


def test_a_validation_that_is_not_finite_stops_the_training(tmp_path):
    with pytest.raises(BistilError, match=r"the validation at step 20 is not finite: accuracy nan"):
        learn(tmp_path, tiny_teacher(), 40, score=lambda model: {"accuracy": float("nan")})


def test_the_first_of_several_steps_is_named():
    guard = FiniteGuard("stage", [[1], [2], [3], [4]])
    for step, loss in enumerate((1.0, float("inf"), float("nan")), 1):
        guard.watch(step, torch.tensor(loss), torch.tensor(1.0))
    with pytest.raises(BistilError, match=r"at step 2: loss inf.*examples 2"):
        guard.check()


def test_a_batch_of_phase_1_is_named_by_language_and_rows():
    assert describe_batch([("sw", 5, 0), ("sw", 2, 1)]) == "sw, blocks 5, 2"
    assert describe_batch([("sw", 5), ("sw", 2)]) == "sw, examples 5, 2"
    assert describe_batch(list(range(70))).endswith("63 and 6 more")


def test_a_loss_that_does_not_fall_is_in_the_record_and_in_the_log(tmp_path, caplog):
    def rising(model, batch):
        rising.offset += 1.0
        return {"task": GOLD(model, batch)["task"] + rising.offset}

    rising.offset = 0.0
    record = learn(tmp_path, tiny_teacher(), 20, rising)
    assert len(record.warnings) == 1
    assert record.warnings[0].startswith("test: the training loss did not fall")
    assert record.warnings[0] in caplog.messages
    assert loss_warnings("test", [{"step": 1, "loss": 2.0}, {"step": 9, "loss": 1.0}]) == []


def test_what_the_disk_cannot_hold_is_refused_with_both_numbers(tmp_path):
    model = tiny_teacher()
    weights = sum(value.nbytes for value in model.state_dict().values())
    assert 13 * weights <= space_needed(model, None) <= 13.1 * weights
    parameters = list(model.parameters())
    masks = [torch.zeros_like(value, dtype=torch.bool) for value in parameters]
    masks[0][:2] = True
    sparse = SparseAdamW([{"params": parameters, "masks": masks}])
    assert sparse.state_bytes() == 2 * 4 * int(masks[0].sum())
    assert space_needed(model, sparse) == 4 * (weights + sparse.state_bytes()) + weights

    class Huge(torch.nn.Module):
        def state_dict(self):
            return {"weight": torch.empty(10**15, device="meta")}

    with pytest.raises(BistilError, match=rf"20,000,000,000\.0 MB in {tmp_path}, where [\d,.]+ MB are free"):
        check_space("stage", Huge(), None, Checkpoints(tmp_path))
