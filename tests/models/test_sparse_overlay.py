"""What is put over a model under training is theta + phi, and leaves theta alone."""

import pytest
import torch
from torch import nn

from bistil_core.errors import BistilError
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.models.sparse_overlay import SparseOverlay


def model_of(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 3))


def fine_tuning(model: nn.Module, seed: int, names=("0.weight", "1.bias")) -> SparseFineTuning:
    generator = torch.Generator().manual_seed(seed)
    theta = {name: model.get_parameter(name).detach().clone() for name in names}
    tuned = {name: value + torch.randn(value.shape, generator=generator) for name, value in theta.items()}
    masks = {name: torch.rand(value.shape, generator=generator) < 0.5 for name, value in theta.items()}
    return SparseFineTuning.difference(theta, tuned, masks)


def bits(model: nn.Module) -> dict[str, bytes]:
    return {name: value.detach().numpy().tobytes() for name, value in model.named_parameters()}


def test_the_model_is_theta_plus_phi_within_and_theta_s_own_tensors_after():
    model = model_of(0)
    sfts = {"en": fine_tuning(model, 1), "sw": fine_tuning(model, 2)}
    before, storage = bits(model), {name: value.data_ptr() for name, value in model.named_parameters()}
    overlay = SparseOverlay(model, sfts)
    for name in ("en", "sw", "en"):
        sfts[name].apply(model)
        applied = bits(model)
        sfts[name].revert(model)
        with overlay.over(name):
            assert bits(model) == applied != before
        assert bits(model) == before
    with overlay.over("tr"):
        assert bits(model) == before
    assert {name: value.data_ptr() for name, value in model.named_parameters()} == storage


def test_ten_thousand_steps_move_what_learns_and_nothing_else():
    model = model_of(0)
    sfts = {"en": fine_tuning(model, 1), "sw": fine_tuning(model, 2)}
    overlay = SparseOverlay(model, sfts)
    for name in ("0.weight", "0.bias", "1.bias"):
        model.get_parameter(name).requires_grad_(False)
    before = bits(model)
    optimiser = torch.optim.SGD([model[1].weight, *model[2].parameters()], lr=1e-3)
    rows = torch.randn(4, 6)
    for step in range(10_000):
        with overlay.over(("en", "sw")[step % 2]):
            model(rows).square().mean().backward()
        optimiser.step()
        optimiser.zero_grad()
    after = bits(model)
    assert {name for name in before if after[name] != before[name]} == {"1.weight", "2.weight", "2.bias"}


def test_the_gradient_is_that_of_theta_plus_phi():
    model, other, rows = model_of(0), model_of(0), torch.randn(4, 6)
    sft = fine_tuning(model, 1)
    overlay = SparseOverlay(model, {"en": sft})
    with overlay.over("en"):
        model(rows).square().mean().backward()
    sft.apply(other)
    other(rows).square().mean().backward()
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one.grad, two.grad)


def test_theta_is_back_whatever_breaks_off():
    model = model_of(0)
    before = bits(model)
    overlay = SparseOverlay(model, {"en": fine_tuning(model, 1)})
    with pytest.raises(KeyboardInterrupt), overlay.over("en"):
        raise KeyboardInterrupt
    assert bits(model) == before
    # Broken off while tensors were given back: one of two has its own again.
    context = overlay.over("en")
    context.__enter__()
    parameter, own = next(iter(overlay._aside.items()))
    parameter.data = own
    overlay.lift()
    assert bits(model) == before
    overlay.lift()
    assert bits(model) == before


def test_another_base_is_refused():
    with pytest.raises(BistilError, match="belongs to another base"):
        SparseOverlay(model_of(3), {"en": fine_tuning(model_of(0), 1)})
