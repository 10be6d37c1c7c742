"""Task heads: what lies above the encoder, and one that was published, fitted to the model's."""

from collections.abc import Sequence
from dataclasses import replace

from torch import nn
from transformers import PreTrainedModel

from bistil_core.errors import BistilError
from bistil_core.models.sparse import SparseFineTuning


def head_parameters(model: PreTrainedModel) -> dict[str, nn.Parameter]:
    """The task head: what lies outside the encoder, by its names in the model."""
    encoder = {id(parameter) for parameter in model.base_model.parameters()}
    return {name: value for name, value in model.named_parameters() if id(value) not in encoder}


def with_fitted_head(
    fine_tuning: SparseFineTuning,
    model: PreTrainedModel,
    labels: Sequence[str],
    given: Sequence[str] | None = None,
    by_label: tuple[str, ...] = (),
) -> SparseFineTuning:
    """A task's sparse fine-tuning whose head is the model's, row by row.

    Args:
        model: with a head of the task, whose rows are in the order of `labels`.
        given: the labels in the order of the fine-tuning's rows, `labels` among them; rows of others are left out.
            None: they are in the order of `labels`.
        by_label: endings of the names of the parameters that have a row (first axis) for each label.

    Raises:
        BistilError: the fine-tuning has no head, or one of other parameters or shapes.
    """
    needed = {name: tuple(value.shape) for name, value in head_parameters(model).items()}
    head, source = dict(fine_tuning.replacements), fine_tuning.source
    missing, unknown = sorted(needed.keys() - head.keys()), sorted(head.keys() - needed.keys())
    if missing or unknown:
        raise BistilError(
            f"{source}: its task head is {', '.join(sorted(head)) or 'not there'}; that of {type(model).__name__} is "
            f"{', '.join(sorted(needed))}, of which it lacks {', '.join(missing) or 'nothing'}; give a sparse "
            "fine-tuning of this task with such a head, or fine-tune the teacher (fine_tuning)"
        )
    if given is not None:
        rows = [list(given).index(label) for label in labels]
        for name in (name for name in head if name.endswith(by_label)):
            if len(head[name]) != len(given):
                raise BistilError(
                    f"{source}: {name} has {len(head[name])} rows for the {len(given)} labels {', '.join(given)}; "
                    "list the labels of this file in the order of its rows"
                )
            head[name] = head[name][rows]
    for name, shape in needed.items():
        if tuple(head[name].shape) != shape:
            raise BistilError(
                f"{source}: {name} has shape {tuple(head[name].shape)}, the head here {shape}; give one of this base "
                f"model, or where the file has other labels than {', '.join(labels) or 'ours'}, list its own (labels)"
            )
    return replace(fine_tuning, replacements=head)
