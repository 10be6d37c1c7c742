"""Lottery-ticket sparse fine-tuning (Ansell et al. 2022; BiStil section 2.2).

1. Fine-tune everything. 2. Keep the k encoder parameters that moved most. 3. Reset everything. 4. Fine-tune
again, only those k and the task head moving. What remains is a sparse difference and a head.
"""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from bistil_core.models.families import family_of
from bistil_core.models.selection import select_parameters
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.models.task_heads import head_parameters
from bistil_core.settings.optimisation import SparseTraining
from bistil_core.training.sparse_optimiser import SparseAdamW
from bistil_core.training.trainer import MAX_GRADIENT_NORM, TrainingRecord


def sparsified_group(model: PreTrainedModel) -> dict[str, nn.Parameter]:
    """The encoder's parameters that may move, by their names in the encoder; never the task head."""
    return {name: value for name, value in model.base_model.named_parameters() if value.requires_grad}


def freeze(model: PreTrainedModel, settings: SparseTraining) -> None:
    """Take LayerNorms, embeddings or the lowest layers of the encoder out of training, as configured."""
    encoder = model.base_model
    family = family_of(model.config.model_type)
    frozen: list[nn.Module] = []
    if settings.freeze_layer_norm:
        # LayerNorm, RMSNorm and what a family calls its own: each class is named so.
        frozen += [module for module in encoder.modules() if type(module).__name__.endswith("Norm")]
    if settings.freeze_embeddings:
        frozen.append(encoder.get_submodule(family.embeddings))
    frozen += list(encoder.get_submodule(family.layers))[: settings.freeze_layers]
    for module in frozen:
        module.requires_grad_(False)


def lottery_ticket(
    model: PreTrainedModel,
    settings: SparseTraining,
    train: Callable[[str, torch.optim.Optimizer | None], TrainingRecord],
) -> tuple[SparseFineTuning, dict[str, TrainingRecord]]:
    """Fine-tune `model` in place and return what changed, with a record for each phase.

    Args:
        model: a model with its task head; what must not move has been frozen.
        settings: density, learning rate; density 1.0 is plain full fine-tuning, without a second phase.
        train: (phase, "dense" or "sparse"; optimiser, or None for AdamW over everything) -> trains `model` in
            place to its best checkpoint, with a fresh schedule.

    Returns:
        The SFT: sparse differences of the encoder and the full head; `model` ends as its base plus the SFT, but
        for the rounding of float32 in taking and adding a difference.
    """
    group, head = sparsified_group(model), head_parameters(model)
    original, original_head = _values(group), _values(head)
    records = {"dense": train("dense", None)}
    masks = select_parameters(original, _values(group), settings.density)
    if settings.density < 1.0:
        _set(group, original)
        _set(head, original_head)
        optimiser = SparseAdamW(
            [
                {
                    "params": list(group.values()),
                    "masks": [masks[name] for name in group],
                },
                {"params": list(head.values()), "weight_decay": settings.weight_decay},
            ],
            lr=settings.learning_rate,
            max_grad_norm=MAX_GRADIENT_NORM,
        )
        records["sparse"] = train("sparse", optimiser)
    sft = SparseFineTuning.difference(original, _values(group), masks, replaced=_values(head))
    return sft, records


def _values(parameters: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    return {name: copy.deepcopy(value.detach()) for name, value in parameters.items()}


def _set(parameters: dict[str, nn.Parameter], values: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(values[name])
