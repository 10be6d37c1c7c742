"""What a step costs, in operations, bytes and files, whatever machine does it."""

from dataclasses import dataclass

from bistil_core.planning.devices import (
    EXAMPLES_PER_SECOND,
    RESAMPLING,
    START,
    TEXT_PER_SECOND,
    TIMING,
    Device,
)
from bistil_core.resources import FLOAT, ModelShape

CHECKPOINTS = 4
"""Of a training: the best, the newest two, and the one that is being written."""


@dataclass(frozen=True)
class Cost:
    """What one step takes.

    Attributes:
        start: a key of `devices.START`.
        flops: floating-point operations of the training or scoring.
        passes: of single layers, a step back counted as two.
        text: bytes of text that are read.
        examples: labelled examples that are read and written.
        resamplings: scores with intervals.
        timings: models that are timed.
        precision: of the operations.
        memory: bytes at the peak.
        disk: bytes of what is written and stays.
        scratch: bytes of checkpoints, which go when the step has ended.
        download: bytes from the network.
        trains: whether a GPU does it, where there is one.
    """

    start: str = "text"
    flops: float = 0.0
    passes: float = 0.0
    text: float = 0.0
    examples: float = 0.0
    resamplings: int = 0
    timings: int = 0
    precision: str = "float32"
    memory: float = 0.0
    disk: float = 0.0
    scratch: float = 0.0
    download: float = 0.0
    trains: bool = False

    def seconds(self, device: Device, threads: int) -> float:
        """Predicted seconds, without a download's, on a device; a CPU with so many threads."""
        speed = device.flops[self.precision] * (1 if device.is_gpu else threads)
        computing = max(self.flops / speed, self.passes * device.launching)
        reading = self.text / (TEXT_PER_SECOND * threads) + self.examples / EXAMPLES_PER_SECOND
        return START[self.start] + computing + reading + RESAMPLING * self.resamplings + TIMING * self.timings


def forward_flops(model: ModelShape, tokens: float, length: float) -> float:
    """Floating-point operations of one pass of an encoder over so many tokens, in rows of a length.

    Matrix products of attention and feed-forward block (two matrices), and the two with attention probabilities.
    """
    of_layer = 4 * model.hidden**2 + 2 * model.hidden * model.intermediate + 2 * length * model.hidden
    return 2.0 * model.layers * of_layer * tokens


@dataclass(frozen=True)
class Training:
    """The work of a training: `model` forth and back, a teacher forth, and both forth in validations.

    Attributes:
        rows: in a batch.
        length: tokens of a row.
        steps: optimiser steps.
        validated: rows of all validations.
        outputs: logits of a token.
    """

    model: ModelShape
    teacher: ModelShape | None
    rows: int
    length: float
    steps: float
    validated: float
    outputs: int = 0

    @property
    def flops(self) -> float:
        """Of the whole training."""
        learnt, seen = (self.length * rows for rows in (self.rows * self.steps, self.validated))
        total = self._forward(self.model, 3 * learnt + seen)
        return total + (self._forward(self.teacher, learnt + seen) if self.teacher else 0.0)

    @property
    def passes(self) -> float:
        """Of single layers, in the whole training."""
        return self.steps * (3 * self.model.layers + (self.teacher.layers if self.teacher else 0))

    def _forward(self, model: ModelShape, tokens: float) -> float:
        return forward_flops(model, tokens, self.length) + 2.0 * model.hidden * self.outputs * tokens


def weights(model: ModelShape) -> float:
    """Bytes of a model's file."""
    return float(FLOAT * parameters(model))


def parameters(model: ModelShape) -> int:
    """Parameters of an encoder with a feed-forward block of two matrices."""
    body = model.layers * (4 * model.hidden**2 + 2 * model.hidden * model.intermediate)
    return body + (model.vocabulary + 512) * model.hidden


def checkpoints(model: ModelShape) -> float:
    """Bytes of all checkpoints that lie there at once: weights and two moments each."""
    return CHECKPOINTS * 3 * weights(model)
