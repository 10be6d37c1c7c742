"""A finished model, teacher or student, ready to predict."""

from pathlib import Path

from transformers import PreTrainedModel

from bistil_core.models.sparse import HEAD_CONFIGURATION, SparseFineTuning
from bistil_core.task import Task


def load_finished(
    task: Task,
    folder: Path,
    sft: Path | None = None,
    attention: str | None = None,
    language_sft: Path | None = None,
) -> PreTrainedModel:
    """The model of `folder` with the task's head; with `sft` a base or phase-1 student plus its sparse fine-tuning.

    Args:
        attention: transformers' attention implementation; None for the model's fastest.
        language_sft: the sparse fine-tuning of the language to be read, without the head it was learnt with.

    Returns:
        The model in evaluation mode, on the CPU, in float32.
    """
    of_task = None if sft is None else SparseFineTuning.load(sft)
    configuration = of_task.metadata.get(HEAD_CONFIGURATION, {}) if of_task else {}
    model = task.load_model(folder, attn_implementation=attention, **configuration)
    if language_sft is not None:
        SparseFineTuning.load(language_sft).without_replacements().apply(model)
    if of_task:
        of_task.apply(model)
    return model.eval()
