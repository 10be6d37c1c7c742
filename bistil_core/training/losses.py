"""The three distillation losses of BiStil (sections 3.2 and 3.3), as functions of model outputs alone.

Student layer i (from 1) is compared with teacher layer i * s, s = L_teacher / L_student; a teacher tuple may
hold all layers or just the aligned ones. Every loss is a scalar in float32, or float64 for float64 inputs; where
processes train together, it is this process's part of the mean over the whole batch (`processes.part_of_mean`).
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from bistil_core.errors import BistilError
from bistil_core.processes import part_of_mean

Reading = Literal["real", "reference"]


def attention_loss(
    student_attentions: Sequence[Tensor],
    teacher_attentions: Sequence[Tensor],
    attention_mask: Tensor | None,
    reading: Reading = "real",
) -> Tensor:
    """L_attn: the mean over student layers of MSE(A^S_i, A^T_{i*s}).

    Args:
        student_attentions: attention probabilities after softmax, one (B, H, L, L) tensor per student layer.
        teacher_attentions: the same of the teacher, all its layers or the aligned ones.
        attention_mask: (B, L), non-zero at real tokens; None where nothing is padded.
        reading: `real` averages over the entries whose query and key are real tokens; `reference` over the
            entries where the teacher's probability is not 0, as the published code finds padding.

    Raises:
        BistilError: a model returned no attention probabilities, or the layers do not align.
    """
    _refuse_missing(student_attentions, "student")
    _refuse_missing(teacher_attentions, "teacher")
    aligned = _aligned(teacher_attentions, len(student_attentions), embeddings_first=False)
    weight = None
    if reading == "real" and attention_mask is not None:
        real = attention_mask.bool()
        weight = (real[:, None, :, None] & real[:, None, None, :]).expand_as(aligned[0])
    layers = []
    for student, teacher in zip(student_attentions, aligned, strict=True):
        layer_weight = teacher != 0 if reading == "reference" else weight
        layers.append(_mean_squared_error(student, teacher, layer_weight))
    return _mean_of_layers(layers)


def hidden_state_loss(
    student_hidden_states: Sequence[Tensor],
    teacher_hidden_states: Sequence[Tensor],
    attention_mask: Tensor | None,
    reading: Reading = "real",
) -> Tensor:
    """L_hidden: the mean over i = 0..L_S of MSE(H^S_i, H^T_{i*s}); H_0 is the embedding output.

    Args:
        student_hidden_states: L_S + 1 tensors (B, L, D), the embedding output first.
        teacher_hidden_states: the same of the teacher, all its layers or the aligned ones.
        attention_mask: (B, L), non-zero at real tokens; None where nothing is padded.
        reading: `real` averages over real tokens; `reference` over all positions, padding included.

    Raises:
        BistilError: the layers do not align.
    """
    if not student_hidden_states or not teacher_hidden_states:
        raise BistilError("no hidden states to distil: call both models with output_hidden_states=True")
    aligned = _aligned(teacher_hidden_states, len(student_hidden_states), embeddings_first=True)
    weight = None
    if reading == "real" and attention_mask is not None:
        weight = attention_mask.bool()[:, :, None].expand_as(aligned[0])
    layers = [
        _mean_squared_error(student, teacher, weight)
        for student, teacher in zip(student_hidden_states, aligned, strict=True)
    ]
    return _mean_of_layers(layers)


def prediction_loss(
    student_logits: Tensor, teacher_logits: Tensor, temperature: float = 2.0, mask: Tensor | None = None
) -> Tensor:
    """L_pred: cross-entropy of the student's distribution under the teacher's, both softened, without T^2.

    Args:
        student_logits: (..., C).
        teacher_logits: (..., C).
        temperature: both logits are divided by it before the softmax.
        mask: (...), non-zero where a prediction counts; None where all do. The mean is over those.
    """
    student = student_logits.flatten(0, -2)
    teacher = teacher_logits.flatten(0, -2)
    if mask is not None:
        counted = mask.flatten().bool()
        student, teacher = student[counted], teacher[counted]
    exact = torch.promote_types(student.dtype, torch.float32)
    mean = functional.cross_entropy(
        student.to(exact) / temperature, functional.softmax(teacher.to(exact) / temperature, dim=-1)
    )
    return part_of_mean(mean, len(student))


def _mean_of_layers(layers: list[tuple[Tensor, Tensor]]) -> Tensor:
    """The mean over layers, each a mean and the number of entries that it is over."""
    means, entries = (torch.stack(each) for each in zip(*layers, strict=True))
    return part_of_mean(means, entries).mean()


def _mean_squared_error(student: Tensor, teacher: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """The mean over the entries where `weight` is True, and their number."""
    exact = torch.promote_types(student.dtype, torch.float32)
    squares = (student.to(exact) - teacher.to(exact)).square()
    if weight is None:
        return squares.mean(), torch.tensor(squares.numel(), device=squares.device)
    entries = weight.sum()
    return torch.where(weight, squares, 0.0).sum() / entries, entries


def _aligned(teacher: Sequence[Tensor], count: int, *, embeddings_first: bool) -> Sequence[Tensor]:
    """The teacher's entries that the student's `count` entries are compared with."""
    if len(teacher) == count:
        return teacher
    offset = 1 if embeddings_first else 0
    teacher_layers, student_layers = len(teacher) - offset, count - offset
    if student_layers < 1 or teacher_layers % student_layers:
        raise BistilError(
            f"{student_layers} student layers cannot be aligned with {teacher_layers} teacher layers: "
            "the teacher's number must be a multiple of the student's"
        )
    factor = teacher_layers // student_layers
    return teacher[::factor] if embeddings_first else teacher[factor - 1 :: factor]


def _refuse_missing(attentions: Sequence[Tensor] | None, whose: str) -> None:
    if not attentions or any(layer is None for layer in attentions):
        raise BistilError(
            f"the {whose} returned no attention probabilities: load it with attn_implementation='eager' "
            "and call it with output_attentions=True (sdpa and flash attention have none to give)"
        )
