import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from bistil_core import select_parameters
from bistil_core.errors import BistilError

ORACLE = Path(__file__).parents[1] / "oracle" / "ltsft"
CASES = sorted(path.stem for path in ORACLE.glob("*.json"))


def oracle(case: str):
    facts, tensors = json.loads((ORACLE / f"{case}.json").read_text()), load_file(ORACLE / f"{case}.safetensors")
    return facts, *(
        {name: tensors[f"{part}.{name}"] for name in facts["names_in_order"]} for part in ("orig", "finetuned", "mask")
    )


def flat(tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat([value.reshape(-1) for value in tensors.values()])


def by_sorting(original, tuned, density) -> torch.Tensor:
    """The definition, in the plainest way: a stable sort of the whole group."""
    movement = (flat(tuned).float() - flat(original).float()).abs()
    order = movement.argsort(descending=True, stable=True)[: int(density * len(movement))]
    mask = torch.zeros(len(movement), dtype=torch.bool)
    mask[order[movement[order] > 0]] = True
    return mask


@pytest.mark.parametrize("case", [case for case in CASES if "ties" not in case])
def test_the_masks_are_the_references(case):
    facts, original, tuned, masks = oracle(case)
    selected = select_parameters(original, tuned, facts["density"])
    assert list(selected) == list(masks)
    for name, mask in masks.items():
        assert torch.equal(selected[name], mask), name


def test_of_the_references_ties_exactly_k_are_taken_and_the_first_of_them():
    facts, original, tuned, masks = oracle("ties_d0.08")
    selected = flat(select_parameters(original, tuned, facts["density"]))
    assert selected.sum() == facts["nnz_requested"] == 26
    assert facts["n_strictly_above"] == 0
    assert selected.nonzero().view(-1).tolist() == flat(masks).nonzero().view(-1)[:26].tolist()


@settings(max_examples=60, deadline=None)
@given(
    shapes=st.lists(st.lists(st.integers(0, 5), min_size=0, max_size=3), min_size=1, max_size=4),
    kinds=st.sampled_from(["normal", "few values", "mostly still", "tiny"]),
    density=st.floats(1e-3, 1.0),
    seed=st.integers(0, 1000),
)
def test_the_selection_is_that_of_a_stable_sort(shapes, kinds, density, seed):
    generator = torch.Generator().manual_seed(seed)
    original, tuned = {}, {}
    for place, shape in enumerate(shapes):
        original[str(place)] = torch.randn(shape, generator=generator)
        movement = torch.randn(shape, generator=generator)
        if kinds == "few values":
            movement = movement.round()
        elif kinds == "mostly still":
            movement = movement * (torch.rand(shape, generator=generator) < 0.1)
        elif kinds == "tiny":
            original[str(place)].zero_()
            movement = movement * 1e-42
        tuned[str(place)] = original[str(place)] + movement
    selected = flat(select_parameters(original, tuned, density))
    assert torch.equal(selected, by_sorting(original, tuned, density))


def test_groups_larger_than_a_piece():
    generator = torch.Generator().manual_seed(5)
    original = {"a": torch.randn(700, 500, generator=generator), "b": torch.randn(33, generator=generator)}
    tuned = {
        name: value + (torch.randn(value.shape, generator=generator) * 50).round() for name, value in original.items()
    }
    for density in (0.001, 0.08, 0.9, 1.0):
        selected = flat(select_parameters(original, tuned, density))
        assert torch.equal(selected, by_sorting(original, tuned, density))


def test_views_that_are_not_contiguous_and_half_precision():
    original = {"w": torch.zeros(3, 4).t(), "h": torch.zeros(2, dtype=torch.bfloat16)}
    tuned = {
        "w": torch.arange(12.0).reshape(3, 4).t(),
        "h": torch.tensor([100.0, 0.0], dtype=torch.bfloat16),
    }
    selected = select_parameters(original, tuned, 3 / 14)
    assert selected["w"].nonzero().tolist() == [[2, 2], [3, 2]]
    assert selected["h"].tolist() == [True, False]


def test_what_did_not_move_is_never_selected():
    original = {"a": torch.zeros(10), "b": torch.zeros(10)}
    tuned = {"a": torch.zeros(10), "b": torch.zeros(10)}
    assert not flat(select_parameters(original, tuned, 1.0)).any()
    tuned["b"][3] = 1e-45
    assert flat(select_parameters(original, tuned, 0.5)).nonzero().view(-1).tolist() == [13]


def test_a_density_that_selects_none():
    assert not select_parameters({"a": torch.zeros(3)}, {"a": torch.ones(3)}, 0.1)["a"].any()


@pytest.mark.parametrize("density", [0.0, -0.1, 1.0001, float("nan")])
def test_a_density_out_of_range_is_refused(density):
    with pytest.raises(BistilError, match="density"):
        select_parameters({"a": torch.zeros(3)}, {"a": torch.ones(3)}, density)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_diverged_training_is_named(value):
    original = {"fine": torch.zeros(3), "encoder.bad": torch.zeros(3)}
    tuned = {"fine": torch.ones(3), "encoder.bad": torch.tensor([0.0, value, 1.0])}
    with pytest.raises(BistilError, match=r"encoder\.bad.*not finite"):
        select_parameters(original, tuned, 0.5)


def test_other_names_shapes_and_types_are_refused():
    original = {"a": torch.zeros(3)}
    with pytest.raises(BistilError, match="different names, for instance b"):
        select_parameters(original, {"a": torch.zeros(3), "b": torch.zeros(1)}, 0.5)
    with pytest.raises(BistilError, match=r"a: the original has shape \(3,\), the tuned one \(4,\)"):
        select_parameters(original, {"a": torch.zeros(4)}, 0.5)
    with pytest.raises(BistilError, match="int64 cannot be fine-tuned"):
        select_parameters({"a": torch.zeros(3, dtype=torch.int64)}, {"a": torch.zeros(3, dtype=torch.int64)}, 0.5)
