import copy
import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from transformers import BertConfig, BertForSequenceClassification, BertModel

from bistil_core import SparseFineTuning
from bistil_core.errors import BistilError
from bistil_core.models.sparse_application import SparseSwitch

ORACLE = Path(__file__).parents[1] / "oracle" / "ltsft"


def classifier(seed: int = 0) -> BertForSequenceClassification:
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=40, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, num_labels=3
    )  # fmt: skip
    return BertForSequenceClassification(config)


BASE = classifier()


def fine_tuning(seed: int, density: float = 0.2, head: bool = True, **metadata) -> SparseFineTuning:
    """A random one for the encoder of BASE, with encoder names as the sparsified group has them."""
    generator = torch.Generator().manual_seed(seed)
    original = dict(BASE.bert.named_parameters())
    tuned = {name: value + torch.randn(value.shape, generator=generator) for name, value in original.items()}
    masks = {name: torch.rand(value.shape, generator=generator) < density for name, value in original.items()}
    replaced = {
        name: torch.randn(value.shape, generator=generator)
        for name, value in BASE.named_parameters()
        if head and name.startswith("classifier")
    }
    return SparseFineTuning.difference(original, tuned, masks, replaced, metadata)


def same_bits(model: torch.nn.Module, other: torch.nn.Module) -> bool:
    ours, theirs = model.state_dict(), other.state_dict()
    return all(torch.equal(value.view(torch.uint8), theirs[name].view(torch.uint8)) for name, value in ours.items())


@pytest.mark.parametrize("case", ["normal_d0.08", "normal_nnz1", "ties_d0.08"])
def test_differences_are_the_references_and_keep_the_small_ones(case):
    facts, tensors = json.loads((ORACLE / f"{case}.json").read_text()), load_file(ORACLE / f"{case}.safetensors")
    original, final, masks = (
        {name: tensors[f"{part}.{name}"] for name in facts["names_in_order"]} for part in ("orig", "final", "mask")
    )
    learnt = SparseFineTuning.difference(original, final, masks)
    assert learnt.tuned_parameters == facts["final_changed_anywhere"]
    for name, (indices, values) in learnt.differences.items():
        dense = torch.zeros(learnt.shapes[name])
        dense.view(-1)[indices] = values
        reference = torch.zeros(learnt.shapes[name])
        reference[tuple(tensors[f"sft_indices.{name}"])] = tensors[f"sft_values.{name}"]
        # The reference drops what is below 1e-7; we keep it.
        assert torch.equal(torch.where(dense.abs() < 1e-7, 0.0, dense), reference), name
        assert torch.equal(dense, final[name] - original[name]), name


def test_applying_gives_base_plus_difference_and_the_head():
    sft, model = fine_tuning(1), copy.deepcopy(BASE)
    sft.apply(model)
    for name, base in BASE.named_parameters():
        expected = base.detach().clone()
        if name.startswith("bert."):
            indices, values = sft.differences[name.removeprefix("bert.")]
            expected.view(-1)[indices] += values
        else:
            expected = sft.replacements[name]
        assert torch.equal(model.get_parameter(name), expected), name


def test_ten_thousand_times_there_and_back_leaves_the_bits():
    sft = SparseFineTuning.difference(
        {"weight": torch.tensor([[0.1, 1e8], [-0.0, 3.0]]), "bias": torch.tensor([1e-30, 2.0])},
        {"weight": torch.tensor([[0.7, 0.3], [1e-9, 3.0]]), "bias": torch.tensor([1e30, 2.0])},
        {"weight": torch.ones(2, 2, dtype=torch.bool), "bias": torch.ones(2, dtype=torch.bool)},
    )
    model = torch.nn.Linear(2, 2)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.1, 1e8], [-0.0, 3.0]]))
        model.bias.copy_(torch.tensor([1e-30, 2.0]))
    before = copy.deepcopy(model)
    for _ in range(10_000):
        sft.apply(model)
        assert not torch.equal(model.bias, before.bias)
        sft.revert(model)
    assert same_bits(model, before)


def test_the_head_is_reverted_too_and_nothing_is_shared():
    sft, model = fine_tuning(1), copy.deepcopy(BASE)
    head = sft.replacements["classifier.weight"].clone()
    sft.apply(model)
    with torch.no_grad():
        model.classifier.weight.add_(1.0)
    assert torch.equal(sft.replacements["classifier.weight"], head)
    sft.revert(model)
    assert same_bits(model, BASE)
    with pytest.raises(BistilError, match="not been applied"):
        sft.revert(model)


@settings(max_examples=25, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 100), min_size=2, max_size=4, unique=True),
    densities=st.lists(st.sampled_from([0.0, 0.05, 0.5, 1.0]), min_size=4, max_size=4),
    data=st.data(),
)
def test_composition(seeds, densities, data):
    parts = [fine_tuning(seed, density) for seed, density in zip(seeds, densities, strict=False)]
    summed, model = sum(parts[1:], parts[0]), copy.deepcopy(BASE)
    summed.apply(model)
    for order in (parts, data.draw(st.permutations(parts))):
        one_by_one = copy.deepcopy(BASE)
        for part in order:
            part.apply(one_by_one)
        for name, value in model.bert.named_parameters():
            torch.testing.assert_close(one_by_one.bert.get_parameter(name), value, rtol=1e-5, atol=1e-5)
        assert torch.equal(one_by_one.classifier.weight, order[-1].replacements["classifier.weight"])
        for part in data.draw(st.permutations(parts)):
            part.revert(one_by_one)
        assert same_bits(one_by_one, BASE)
    assert torch.equal(model.classifier.weight, parts[-1].replacements["classifier.weight"])
    summed.revert(model)
    assert same_bits(model, BASE)


def test_addition_of_differences_commutes_exactly_and_counts_once():
    first, second = fine_tuning(1, head=False), fine_tuning(2, head=False)
    one, other = first + second, second + first
    for name, (indices, values) in one.differences.items():
        assert torch.equal(indices, other.differences[name][0])
        assert torch.equal(values, other.differences[name][1])
        dense = torch.zeros(one.shapes[name])
        for part in (first, second):
            dense.view(-1)[part.differences[name][0]] += part.differences[name][1]
        assert torch.equal(dense.view(-1)[indices], values)
        assert len(indices) == len(set(first.differences[name][0].tolist()) | set(second.differences[name][0].tolist()))


def test_metadata_of_a_sum():
    first = fine_tuning(1, language="sw", base_model="b")
    second = fine_tuning(2, task="nli", language="en")
    metadata = (first + second).metadata
    assert metadata["task"] == "nli"
    assert metadata["language"] == "sw + en"
    assert metadata["base_model"] == "b"
    assert metadata["density"] == (first + second).density > first.density
    assert metadata["base_fingerprint"] == first.metadata["base_fingerprint"]


def test_what_cannot_be_added():
    first = fine_tuning(1, base_model="mBERT")
    with pytest.raises(BistilError, match="base_model is mBERT in one and XLM-R"):
        first + fine_tuning(2, base_model="XLM-R")
    one = {"w": torch.zeros(4)}
    masks = {"w": torch.ones(4, dtype=torch.bool)}
    plain = SparseFineTuning.difference(one, {"w": torch.ones(4)}, masks)
    with pytest.raises(BistilError, match="different bases"):
        plain + SparseFineTuning.difference({"w": torch.ones(4)}, {"w": torch.zeros(4)}, masks)
    with pytest.raises(BistilError, match=r"w has shape \(4,\) in one and \(2,\)"):
        plain + SparseFineTuning({"w": (torch.tensor([0]), torch.ones(1))}, {"w": (2,)})
    with pytest.raises(BistilError, match="w is a difference in one and replaced"):
        plain + SparseFineTuning({}, {}, {"w": torch.ones(4)})


def test_a_fine_tuning_goes_into_the_bare_encoder_and_back_into_a_whole_model():
    sft, encoder, model = fine_tuning(1), BertModel(BASE.config), copy.deepcopy(BASE)
    encoder.load_state_dict(BASE.bert.state_dict())
    sft.without_replacements().apply(encoder)
    sft.apply(model)
    assert same_bits(encoder, model.bert)
    prefixed = SparseFineTuning(
        {f"bert.{name}": each for name, each in sft.differences.items()},
        {f"bert.{name}": each for name, each in sft.shapes.items()},
    )
    again = BertModel(BASE.config)
    again.load_state_dict(BASE.bert.state_dict())
    prefixed.apply(again)
    assert same_bits(again, encoder)


def test_another_base_is_refused_and_left_alone():
    sft, other = fine_tuning(1, base_model="the base"), classifier(seed=9)
    before = copy.deepcopy(other)
    with pytest.raises(BistilError, match="belongs to the base, whose"):
        sft.apply(other)
    assert same_bits(other, before)
    sft.apply(other, check_base=False)
    assert not same_bits(other, before)


def test_a_fingerprint_sees_through_what_is_applied_already():
    first, second, model = fine_tuning(1), fine_tuning(2), copy.deepcopy(BASE)
    first.apply(model)
    second.apply(model)
    second.revert(model)
    first.revert(model)
    first.apply(model)
    fresh = copy.deepcopy(BASE)
    fresh.load_state_dict(model.state_dict())
    with pytest.raises(BistilError, match="belongs to another base"):
        second.apply(fresh)


def test_a_task_learnt_on_top_of_a_language_belongs_to_the_plain_base():
    language, model = fine_tuning(1, head=False), copy.deepcopy(BASE)
    base = {name: value.detach().clone() for name, value in model.bert.named_parameters()}
    language.apply(model)
    original = {name: value.detach().clone() for name, value in model.bert.named_parameters()}
    tuned = {name: value + 1 for name, value in original.items()}
    masks = {name: torch.ones_like(value, dtype=torch.bool) for name, value in original.items()}
    task = SparseFineTuning.difference(original, tuned, masks, base=base)
    task.apply(copy.deepcopy(BASE))
    with pytest.raises(BistilError, match="belongs to"):
        SparseFineTuning.difference(original, tuned, masks).apply(copy.deepcopy(BASE))


def test_missing_parameters_and_wrong_shapes_are_refused():
    sft = fine_tuning(1)
    with pytest.raises(BistilError, match=r"BertModel.*lacks 2 of its \d+ parameters, the first is classifier\.bias"):
        sft.apply(BertModel(BASE.config))
    config = copy.deepcopy(BASE.config)
    config.vocab_size = 30
    with pytest.raises(BistilError, match=r"word_embeddings.weight has shape \(40, 8\), in the model \(30, 8\)"):
        sft.apply(BertForSequenceClassification(config))


def test_masks_must_fit():
    one, mask = {"w": torch.zeros(4)}, {"w": torch.ones(3, dtype=torch.bool)}
    with pytest.raises(BistilError, match=r"w: original .* must have one shape"):
        SparseFineTuning.difference(one, one, mask)
    with pytest.raises(BistilError, match="v: has a mask, but no original"):
        SparseFineTuning.difference(one, one, {"v": mask["w"]})
    with pytest.raises(BistilError, match=r"w: .*not finite"):
        SparseFineTuning.difference(one, {"w": torch.full((4,), torch.nan)}, {"w": torch.ones(4, dtype=torch.bool)})


@pytest.mark.parametrize("kept", [[0, 3, 4, 39], [7, 2, 30, 5], list(range(40)), []])
def test_cutting_to_a_vocabulary(kept):
    names = ["embeddings.word_embeddings.weight", "decoder.weight"]
    sft = fine_tuning(4, density=0.5)
    sft.replacements["cls.decoder.weight"] = torch.randn(40, 8)
    cut = sft.cut_to_vocabulary(kept, names)
    applied = copy.deepcopy(BASE)
    sft.without_replacements().apply(applied)
    trimmed = copy.deepcopy(BASE)
    trimmed.bert.embeddings.word_embeddings = torch.nn.Embedding(len(kept), 8)
    with torch.no_grad():
        trimmed.bert.embeddings.word_embeddings.weight.copy_(BASE.bert.embeddings.word_embeddings.weight[kept])
    cut.without_replacements().apply(trimmed)
    assert torch.equal(
        trimmed.bert.embeddings.word_embeddings.weight, applied.bert.embeddings.word_embeddings.weight[kept]
    )
    assert same_bits(trimmed.bert.encoder, applied.bert.encoder)
    assert torch.equal(cut.replacements["cls.decoder.weight"], sft.replacements["cls.decoder.weight"][kept])
    assert cut.metadata["density"] == cut.density
    assert "embeddings.word_embeddings.weight" not in cut.metadata["base_fingerprint"]


def test_widened_again_a_cut_fine_tuning_is_what_it_was_in_the_kept_rows():
    names, kept = ["embeddings.word_embeddings.weight"], [0, 3, 4, 39]
    sft = fine_tuning(4, density=0.5)
    widened = sft.cut_to_vocabulary(kept, names).widen_to_vocabulary(kept, names, 40)
    assert widened.shapes == sft.shapes
    before, after = copy.deepcopy(BASE), copy.deepcopy(BASE)
    sft.apply(before)
    widened.apply(after)
    rows, others = ([row for row in range(40) if (row in kept) is wanted] for wanted in (True, False))
    was, now, base = (each.bert.embeddings.word_embeddings.weight for each in (before, after, BASE))
    assert torch.equal(now[rows], was[rows])
    assert torch.equal(now[others], base[others])
    assert same_bits(after.bert.encoder, before.bert.encoder)
    with pytest.raises(BistilError, match="kept ids go from 0 to 39, the embeddings have 20 rows"):
        sft.cut_to_vocabulary(kept, names).widen_to_vocabulary(kept, names, 20)


def test_ids_that_are_no_rows_are_refused():
    sft = fine_tuning(4)
    with pytest.raises(BistilError, match="kept ids go from 3 to 40, the embeddings have 40 rows"):
        sft.cut_to_vocabulary([3, 40], ["word_embeddings.weight"])
    with pytest.raises(BistilError, match="more than once"):
        sft.cut_to_vocabulary([3, 3], ["word_embeddings.weight"])


def test_sizes_by_layer():
    sft = fine_tuning(1)
    layers = sft.by_layer()
    assert list(layers) == ["embeddings", "encoder.layer.0", "encoder.layer.1", "pooler.dense"]
    assert sum(layer["tuned_parameters"] for layer in layers.values()) == sft.tuned_parameters
    parameters = sum(layer["parameters"] for layer in layers.values())
    assert parameters == sum(value.numel() for value in BASE.bert.parameters())
    assert sft.density == sft.metadata["density"] == sft.tuned_parameters / parameters
    layer = sum(value.numel() for value in BASE.bert.encoder.layer[0].parameters())
    assert layers["encoder.layer.0"]["parameters"] == layer
    assert layers["encoder.layer.0"]["density"] == pytest.approx(0.2, abs=0.05)


def test_the_switch_gives_what_applying_gives_and_the_base_its_bits_back():
    parts = {"en": fine_tuning(1), "sw": fine_tuning(2, density=0.01, head=False)}
    expected = {None: copy.deepcopy(BASE)}
    for name, part in parts.items():
        expected[name] = copy.deepcopy(BASE)
        part.apply(expected[name])
    model = copy.deepcopy(BASE)
    switch = SparseSwitch(model, parts)
    assert same_bits(model, BASE)
    for name in ["en", "sw", "en", None, "sw", "sw", None] * 3:
        switch.activate(name)
        assert same_bits(model, expected[name]), name
    with pytest.raises(BistilError, match="called ha; choose one of en, sw or None"):
        switch.activate("ha")
    with pytest.raises(BistilError, match="belongs to"):
        SparseSwitch(classifier(seed=3), parts)


def test_the_switch_keeps_tied_tensors_tied():
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.decoder = torch.nn.Embedding(5, 2), torch.nn.Linear(2, 5, bias=False)
            self.decoder.weight = self.embedding.weight

    model = Tied()
    values = {"embedding.weight": model.embedding.weight}
    sft = SparseFineTuning.difference(
        values, {"embedding.weight": values["embedding.weight"] + 1}, {"embedding.weight": torch.eye(5, 2).bool()}
    )
    SparseSwitch(model, {"a": sft}).activate("a")
    assert model.decoder.weight.data_ptr() == model.embedding.weight.data_ptr()
    assert model.decoder.weight[0, 0] == values["embedding.weight"][0, 0]
