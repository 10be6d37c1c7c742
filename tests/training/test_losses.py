import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from transformers import BertConfig, BertForSequenceClassification, BertModel

from bistil_core import attention_loss, hidden_state_loss, prediction_loss
from bistil_core.errors import BistilError

ORACLE = Path(__file__).parents[1] / "oracle" / "distil"
REFERENCE = json.loads((ORACLE / "values.json").read_text())
REAL = json.loads((ORACLE / "values_masked_variant.json").read_text())


def build(head: str, role: str, weights: str, dtype: torch.dtype):
    config = BertConfig.from_pretrained(ORACLE / f"bert_{head}_{role}_config.json")
    config._attn_implementation = "eager"
    state = load_file(ORACLE / f"bert_{head}_{weights}.safetensors")
    if head == "seqcls":
        config.num_labels = len(state["classifier.bias"])
    model = (BertModel if head == "base" else BertForSequenceClassification)(config)
    model.load_state_dict(state)
    return model.to(dtype).eval()


def outputs(head: str, variant: str, padding: str, dtype: torch.dtype):
    batch = load_file(ORACLE / f"bert_batch_{padding}.safetensors")
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    asked = {"output_attentions": True, "output_hidden_states": True}
    student = build(head, "student", f"student_{variant}", dtype)
    with torch.no_grad():
        teacher_outputs = build(head, "teacher", "teacher", dtype)(**inputs, **asked)
    return student, student(**inputs, **asked), teacher_outputs, batch


def loss_of(name: str, student, teacher, mask, reading: str) -> torch.Tensor:
    if name.endswith("_top"):
        pick = slice(-1, None)
        if name.startswith("attn"):
            return attention_loss(student.attentions[pick], teacher.attentions[pick], mask, reading)
        return hidden_state_loss(student.hidden_states[pick], teacher.hidden_states[pick], mask, reading)
    parts = {
        "attn": lambda: attention_loss(student.attentions, teacher.attentions, mask, reading),
        "hidden": lambda: hidden_state_loss(student.hidden_states, teacher.hidden_states, mask, reading),
        "ce": lambda: prediction_loss(student.logits, teacher.logits),
        "ce_T2": lambda: prediction_loss(student.logits, teacher.logits, temperature=2.0),
        "ce_T1": lambda: prediction_loss(student.logits, teacher.logits, temperature=1.0),
    }
    return sum(parts[part]() for part in name.split("+"))


def cases(values: dict, reading: str):
    for key in values:
        _, head, variant, padding, dtype, name = key.split("/")
        if name != "task":
            yield pytest.param(head, variant, padding, dtype, name, reading, values[key], id=f"{reading}/{key}")


@pytest.mark.parametrize(
    ("head", "variant", "padding", "dtype", "name", "reading", "expected"),
    [*cases(REFERENCE, "reference"), *cases(REAL, "real")],
)
def test_losses_and_gradients_agree_with_the_reference_numbers(head, variant, padding, dtype, name, reading, expected):
    student, student_outputs, teacher_outputs, batch = outputs(
        head, variant, padding, {"f32": torch.float32, "f64": torch.float64}[dtype]
    )
    loss = loss_of(name, student_outputs, teacher_outputs, batch["attention_mask"], reading)
    tolerance = 1e-6 if dtype == "f64" else 2e-5
    assert loss.item() == pytest.approx(expected["loss"], rel=tolerance, abs=tolerance)
    loss.backward()
    for parameter_name, norm in expected.get("grad_norms", {}).items():
        gradient = student.get_parameter(parameter_name).grad
        measured = 0.0 if gradient is None else gradient.norm().item()
        assert measured == pytest.approx(norm, rel=tolerance, abs=tolerance), parameter_name


@pytest.mark.parametrize(
    ("head", "file", "name"),
    [
        ("base", "bert_base_grads_pad_attn_hidden_tf5", "attn+hidden"),
        ("seqcls", "bert_seqcls_grads_pad_attn_hidden_ce_tf5", "attn+hidden+ce"),
    ],
)
def test_every_entry_of_the_gradient_agrees(head, file, name):
    student, student_outputs, teacher_outputs, batch = outputs(head, "perturbed", "pad", torch.float64)
    loss_of(name, student_outputs, teacher_outputs, batch["attention_mask"], "reference").backward()
    for parameter_name, expected in load_file(ORACLE / f"{file}.safetensors").items():
        gradient = student.get_parameter(parameter_name).grad
        gradient = torch.zeros_like(expected) if gradient is None else gradient
        torch.testing.assert_close(gradient, expected.to(gradient.dtype), rtol=1e-6, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(1, 7))
def test_padding_has_no_say_in_the_real_reading(seed, real):
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(2, 7, dtype=torch.long)
    mask[0, :real] = 1
    mask[1] = 1
    layers = [torch.rand(2, 3, 7, 7, generator=generator) for _ in range(2)]
    states = [torch.rand(2, 7, 5, generator=generator) for _ in range(3)]
    noisy_layers = [layer + 1 for layer in layers]
    noisy_states = [state + 1 for state in states]
    for noisy, clean in zip(noisy_layers, layers, strict=True):
        inside = (mask[:, None, :, None] * mask[:, None, None, :]).bool().expand_as(clean)
        noisy[inside] = clean[inside]
    for noisy, clean in zip(noisy_states, states, strict=True):
        noisy[mask.bool()] = clean[mask.bool()]
    assert attention_loss(noisy_layers, layers, mask) == 0
    assert hidden_state_loss(noisy_states, states, mask) == 0
    assert attention_loss(noisy_layers, layers, torch.ones_like(mask)).item() > 0 or real == 7
    unpadded = torch.ones_like(mask)
    assert attention_loss(noisy_layers, layers, unpadded) == attention_loss(noisy_layers, layers, None)


def test_layers_are_aligned_by_the_layer_reduction_factor():
    teacher = [torch.full((1, 1, 2, 2), float(layer)) for layer in range(1, 7)]
    assert attention_loss([teacher[2], teacher[5]], teacher, None) == 0
    states = [torch.full((1, 2, 3), float(layer)) for layer in range(7)]
    assert hidden_state_loss([states[0], states[3], states[6]], states, None) == 0
    assert hidden_state_loss([states[0], states[2], states[6]], states, None) == pytest.approx(1 / 3)
    with pytest.raises(BistilError, match="4 student layers cannot be aligned with 6"):
        attention_loss(teacher[:4], teacher, None)


def test_missing_attentions_are_an_error_and_never_a_zero_loss():
    with pytest.raises(BistilError, match="teacher returned no attention probabilities"):
        attention_loss([torch.ones(1, 1, 2, 2)], (), None)
    with pytest.raises(BistilError, match="student returned no attention probabilities"):
        attention_loss((None,), [torch.ones(1, 1, 2, 2)], None)


def test_prediction_loss_counts_just_the_masked_in_positions():
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(2, 4, 3, generator=generator), torch.randn(2, 4, 3, generator=generator)
    mask = torch.tensor([[1, 1, 0, 0], [1, 0, 0, 0]])
    changed = student.clone()
    changed[~mask.bool()] = 100.0
    assert prediction_loss(student, teacher, mask=mask) == prediction_loss(changed, teacher, mask=mask)
    by_hand = -(torch.softmax(teacher / 2, -1) * torch.log_softmax(student / 2, -1)).sum(-1)
    assert prediction_loss(student, teacher, mask=mask).item() == pytest.approx(by_hand[mask.bool()].mean().item())
