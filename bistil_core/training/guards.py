"""What stops a training that cannot end well: numbers that are none, and a disk that will not hold it."""

import itertools
import math
import shutil
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from transformers import PreTrainedModel

from bistil_core.errors import BistilError
from bistil_core.training.checkpoints import KEPT, Checkpoints
from bistil_core.training.sparse_optimiser import SparseAdamW

SHOWN = 64
"""Examples of a batch that an error names."""


class FiniteGuard:
    """Remembers, on the device, the first step whose loss or gradient was not finite.

    Looking at each step's numbers would make a GPU wait for the CPU: `check` looks, and is called now and then and
    before anything is kept.

    Args:
        stage: the name of the training, for the error.
        batches: yields the training batches from the start, as often as it is iterated over.
    """

    def __init__(self, stage: str, batches: Iterable[list]):
        self.stage = stage
        self.batches = batches
        self._first: Tensor | None = None

    def watch(self, step: int, loss: Tensor, gradient_norm: Tensor) -> None:
        """Take note of the scalar loss and gradient norm of a step (counted from 1)."""
        now = torch.stack([torch.full_like(loss, step, dtype=torch.float64), loss.double(), gradient_norm.double()])
        if self._first is None:
            self._first = torch.zeros_like(now)
        is_first = (self._first[0] == 0) & ~now.isfinite().all()
        self._first = torch.where(is_first, now, self._first)

    def check(self) -> None:
        """Raises BistilError, naming the step and its batch, if a loss or gradient was not finite."""
        if self._first is None:
            return
        step, loss, norm = self._first.tolist()
        if step:
            batch = next(itertools.islice(iter(self.batches), int(step) - 1, None))
            raise BistilError(
                f"{self.stage}: not finite at step {int(step)}: loss {loss}, norm of the gradient {norm}. Its batch: "
                f"{describe_batch(batch)}. Look at these, lower learning_rate, or set precision: float32; the "
                "checkpoint before is kept"
            )


def check_validation(stage: str, step: int, metrics: Mapping[str, float]) -> None:
    """Raises BistilError if a validation found numbers that are none."""
    if unusable := {name: value for name, value in metrics.items() if not math.isfinite(value)}:
        found = ", ".join(f"{name} {value}" for name, value in unusable.items())
        raise BistilError(
            f"{stage}: the validation at step {step} is not finite: {found}. Lower learning_rate, or set precision: "
            "float32; the checkpoint before is kept"
        )


def describe_batch(batch: list) -> str:
    """A batch in words: the blocks or examples of each language, or the examples, counted from 0."""
    if not isinstance(batch[0], tuple):
        return f"examples {_listed(batch)}"
    languages = dict.fromkeys(draw[0] for draw in batch)
    rows = "blocks" if len(batch[0]) == 3 else "examples"
    return "; ".join(
        f"{language}, {rows} {_listed([draw[1] for draw in batch if draw[0] == language])}" for language in languages
    )


def _listed(rows: list[int]) -> str:
    return ", ".join(map(str, rows[:SHOWN])) + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")


def loss_warnings(stage: str, training: list[dict[str, float]]) -> list[str]:
    """A sentence if the loss ended no lower than it began; `training` is the log of a TrainingRecord."""
    if len(training) < 2 or training[-1]["loss"] < training[0]["loss"]:
        return []
    first, last = training[0], training[-1]
    return [
        f"{stage}: the training loss did not fall: {first['loss']:.6g} at step {first['step']}, "
        f"{last['loss']:.6g} at step {last['step']}"
    ]


def check_space(
    stage: str, model: PreTrainedModel, optimizer: torch.optim.Optimizer | None, checkpoints: Checkpoints
) -> None:
    """Refuse to begin what the disk cannot hold.

    Needed are the best checkpoint, the newest two, the one that is being written, and the finished model; what
    lies there already counts.

    Raises:
        BistilError: less is free than is needed.
    """
    needed = space_needed(model, optimizer) - checkpoints.size()
    free = shutil.disk_usage(checkpoints.folder).free
    if free < needed:
        raise BistilError(
            f"{stage}: its checkpoints and output take about {needed / 1e6:,.1f} MB in {checkpoints.folder}, "
            f"where {free / 1e6:,.1f} MB are free: make room, or let results/ lie on another disk"
        )


def space_needed(model: PreTrainedModel, optimizer: torch.optim.Optimizer | None) -> int:
    """Bytes of the checkpoints that can lie there at once, and of the finished model."""
    weights = sum(value.nbytes for value in model.state_dict().values())
    if isinstance(optimizer, SparseAdamW):
        moments = optimizer.state_bytes()
    else:
        moments = 2 * sum(value.nbytes for value in model.parameters() if value.requires_grad)
    return (KEPT + 2) * (weights + moments) + weights
