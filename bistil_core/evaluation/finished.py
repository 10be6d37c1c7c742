"""A finished model, teacher or student, ready to predict."""

from pathlib import Path

from transformers import PreTrainedModel

from bistil_core.models.sparse import SparseFineTuning
from bistil_core.tasks import Task


def load_finished(task: Task, folder: Path, sft: Path | None = None, attention: str | None = None) -> PreTrainedModel:
    """The model of `folder` with the task's head; with `sft` a phase-1 student plus its sparse fine-tuning.

    Args:
        attention: transformers' attention implementation; None for the model's fastest.

    Returns:
        The model in evaluation mode, on the CPU, in float32.
    """
    model = task.load_model(folder, attn_implementation=attention)
    if sft is not None:
        SparseFineTuning.load(sft).apply(model)
    return model.eval()
