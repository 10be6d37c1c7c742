"""What a training step minimises: gold labels, or the distance from a teacher (BiStil sections 3.2 and 3.3)."""

from collections.abc import Callable

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.modeling_outputs import ModelOutput

from bistil_core.errors import BistilError
from bistil_core.tasks import Task
from bistil_core.training.losses import Reading, attention_loss, hidden_state_loss, prediction_loss

Batch = dict[str, Tensor]
Objective = Callable[[PreTrainedModel, Batch], dict[str, Tensor]]
"""(model, batch) -> named scalar losses; their sum is minimised and each part is logged."""


class GoldLabels:
    """The task head's own loss against the gold labels of a batch."""

    def __init__(self, task: Task):
        self.task = task

    def __call__(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        """The one loss part of a batch."""
        return {"task": model(**self.task.inputs(batch, gold=True)).loss}


class Distillation:
    """L_attn + L_hidden, and with a task L_pred.

    Args:
        teacher: an encoder, or for a task a model with its head, reading the student's token ids; it is
            put in evaluation mode and never changed.
        task: whose logits are distilled; None for phase 1.
        temperature: of L_pred.
        reading: how L_attn and L_hidden find padding.
    """

    def __init__(
        self,
        teacher: PreTrainedModel,
        task: Task | None = None,
        temperature: float = 2.0,
        reading: Reading = "real",
    ):
        self.teacher = teacher.eval().requires_grad_(False)
        self.task = task
        self.temperature = temperature
        self.reading = reading
        self._seen_attentions = False

    def __call__(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        """The loss parts of one batch."""
        inputs = self.task.inputs(batch, gold=False) if self.task else batch
        asked = {"output_attentions": True, "output_hidden_states": True}
        with torch.no_grad():
            teacher = self.teacher.to(batch["input_ids"].device)(**inputs, **asked)
        student = model(**inputs, **asked)
        mask = batch["attention_mask"]
        parts = {
            "attention": attention_loss(student.attentions, teacher.attentions, mask, self.reading),
            "hidden": hidden_state_loss(student.hidden_states, teacher.hidden_states, mask, self.reading),
        }
        self._refuse_zero_attentions(teacher)
        if self.task is not None:
            pairs = zip(self.task.distilled(student, batch), self.task.distilled(teacher, batch), strict=True)
            parts["prediction"] = sum(
                prediction_loss(student_logits, teacher_logits, self.temperature, counted)
                for (student_logits, counted), (teacher_logits, _) in pairs
            )
        return parts

    def _refuse_zero_attentions(self, teacher: ModelOutput) -> None:
        """Checked once: looking at every batch would make a GPU wait for the CPU."""
        if not self._seen_attentions and not any(layer.any() for layer in teacher.attentions):
            raise BistilError("the teacher's attention probabilities are all 0: its weights cannot be right")
        self._seen_attentions = True
