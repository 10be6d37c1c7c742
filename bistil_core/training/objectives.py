"""What a training step minimises: gold labels, or the distance from a teacher (BiStil sections 3.2 and 3.3)."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel
from transformers.modeling_outputs import ModelOutput

from bistil_core.errors import BistilError
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.models.sparse_application import SparseSwitch
from bistil_core.processes import part_of_mean
from bistil_core.task import Task
from bistil_core.training.losses import Reading, attention_loss, hidden_state_loss, prediction_loss

Batch = dict[str, Tensor]
Objective = Callable[[PreTrainedModel, Batch], dict[str, Tensor]]
"""(model, batch) -> named scalar losses; their sum is minimised and each part is logged.

Where processes train together, a batch is the rows of one, and its losses are their parts of the whole batch's."""


class GoldLabels:
    """The task's loss against the gold labels of a batch."""

    def __init__(self, task: Task):
        self.task = task

    def __call__(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        """The one loss part of a batch."""
        loss = self.task.gold_loss(model(**self.task.inputs(batch, gold=True)), batch)
        # A mean over the gold entries that count: those of examples, or of words.
        return {"task": part_of_mean(loss, (batch[self.task.gold[0]] != -100).sum())}


class MaskedLanguageModelling:
    """Cross-entropy at the masked tokens, and with `regularisation` the L1 norm of the difference (method section 3).

    Args:
        original: theta_0 by name in the encoder, of the parameters that may move; copied if it is needed.
        regularisation: times the mean of |theta - theta_0| over them; 0 for none.
    """

    def __init__(self, original: Mapping[str, Tensor], regularisation: float = 0.0):
        self.regularisation = regularisation
        self.original = {name: value.detach().clone() for name, value in original.items()} if regularisation else {}

    def __call__(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        """The loss parts of one batch; that of a batch without any masked token is 0."""
        labels = batch["labels"]
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        total = cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), ignore_index=-100, reduction="sum")
        masked = (labels != -100).sum()
        parts = {"masked": part_of_mean(total / masked.clamp(min=1), masked)}
        if self.regularisation:
            self.original = {name: value.to(labels.device) for name, value in self.original.items()}
            distances = [
                (model.base_model.get_parameter(name) - value).abs().sum() for name, value in self.original.items()
            ]
            size = sum(value.numel() for value in self.original.values())
            parts["regularisation"] = part_of_mean(self.regularisation * torch.stack(distances).sum() / size, size)
        return parts


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
        if self.task:
            inputs = self.task.inputs(batch, gold=False)
        else:
            inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
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


class BilingualDistillation(Distillation):
    """L_attn + L_hidden from a teacher that wears the sparse fine-tuning of each batch's language.

    Args:
        teacher: as for `Distillation`, with nothing applied.
        languages: what the `language` of a batch, (B,) int64 and the same for all of it, counts in.
        fine_tunings: by language, of the teacher; in the others it stays bare.
        reading: how L_attn and L_hidden find padding.

    Raises:
        BistilError: a fine-tuning does not belong to the teacher.
    """

    def __init__(
        self,
        teacher: PreTrainedModel,
        languages: Sequence[str],
        fine_tunings: Mapping[str, SparseFineTuning],
        reading: Reading = "real",
    ):
        # The switch swaps tensors, so the teacher must be where it stays before there is one.
        super().__init__(teacher.to("cuda" if torch.cuda.is_available() else "cpu"), reading=reading)
        self.worn = [language if language in fine_tunings else None for language in languages]
        self.switch = SparseSwitch(self.teacher, fine_tunings) if fine_tunings else None

    def __call__(self, model: PreTrainedModel, batch: Batch) -> dict[str, Tensor]:
        """The loss parts of one monolingual batch."""
        if self.switch:
            self.switch.activate(self.worn[int(batch["language"][0])])
        return super().__call__(model, batch)
