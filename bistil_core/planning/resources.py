"""What each step takes of the machine that it runs on: its memory, and the work that decides its time.

The plan and what a cluster is asked for both stand on it (docs/scale.md, docs/cluster.md). What is asked for errs
upwards, by margins of the rules' own and by taking every example for as long as it may be.
"""

import math
from dataclasses import dataclass, replace

from bistil_core.planning.devices import EXAMPLES_PER_SECOND, RESAMPLING, START, TEXT_PER_SECOND, TIMING, Device
from bistil_core.planning.shapes import FLOAT, ModelShape
from bistil_core.settings.language_sft import TrainLanguageSftSettings
from bistil_core.settings.optimisation import Optimisation, SparseOptimisation
from bistil_core.settings.phase1 import Phase1Settings
from bistil_core.settings.tasks import EvaluateSettings

PROCESS = 1.5e9
"""Bytes of a process that has loaded Python, torch and transformers, with room for CUDA's host memory."""

TEXT = 8
"""Bytes in memory for each byte of a Parquet file of text: the text, its tokens and the blocks of them."""

COMPRESSED = 0.45
"""Bytes of Parquet for each byte of text."""

BYTES_OF_A_TOKEN = 4
"""Of text, in a corpus that is cut into blocks."""

OCCURRING_TOKENS = 60_000
"""Different ones in a language's corpus; of XLM-R's 27,370 in 22 MB of Swahili, 36,825 in as much English."""

TIMED_ROWS = 32
"""Of the larger of the two batches that are timed."""


@dataclass(frozen=True)
class Need:
    """What a step takes.

    Attributes:
        bytes: of memory, at its peak.
        start: a key of `devices.START`.
        flops: floating-point operations of the training or scoring.
        passes: of single layers, a step back counted as two.
        text: bytes of text that are read.
        examples: labelled examples that are read and written.
        resamplings: scores with intervals.
        timings: models that are timed.
        precision: of the operations.
    """

    bytes: float = PROCESS
    start: str = "text"
    flops: float = 0.0
    passes: float = 0.0
    text: float = 0.0
    examples: float = 0.0
    resamplings: int = 0
    timings: int = 0
    precision: str = "float32"

    def seconds(self, device: Device, threads: int) -> float:
        """Seconds, without a download's, on a device; a CPU with so many threads."""
        speed = device.flops[self.precision] * (1 if device.is_gpu else threads)
        computing = max(self.flops / speed, self.passes * device.launching)
        reading = self.text / (TEXT_PER_SECOND * threads) + self.examples / EXAMPLES_PER_SECOND
        return START[self.start] + computing + reading + RESAMPLING * self.resamplings + TIMING * self.timings


def training_need(
    model: ModelShape,
    settings: Optimisation,
    *,
    steps: float,
    length: int,
    tokens: float,
    validated: float,
    data: float,
    teacher: ModelShape | None = None,
    outputs: int = 0,
) -> Need:
    """What it takes to train all of `model`: weights, their start, gradients and AdamW's two moments.

    `model` goes forth and back on what is learnt from and forth in validations, a teacher forth in both.

    Args:
        steps: optimiser steps.
        length: tokens that a row may have.
        tokens: that it has.
        validated: rows of all validations.
        data: bytes of Parquet of the training data.
        outputs: logits per token, as of masked language modelling.
    """
    batch = settings.batch_size * length
    learnt, seen = settings.batch_size * steps * tokens, validated * tokens
    held = 5 * model.weights + model.activations(batch, length) + 4 * batch * outputs * FLOAT
    flops, passes = model.forward_flops(3 * learnt + seen, tokens, outputs), 3 * model.layers * steps
    if teacher is not None:
        held += 2 * teacher.weights + teacher.activations(batch, length) / 2
        flops += teacher.forward_flops(learnt + seen, tokens)
        passes += teacher.layers * steps
    return Need(
        PROCESS + held + TEXT * data,
        "training",
        flops=flops,
        passes=passes,
        text=data / COMPRESSED,
        precision=settings.precision,
    )


def phase1_need(base: ModelShape, settings: Phase1Settings, data: float) -> Need:
    """What phase 1 takes; the student is as large as the teacher where the vocabulary is not cut at all."""
    validations = math.ceil(settings.steps / settings.evaluate_every)
    return training_need(
        student_of(base, settings),
        settings,
        steps=settings.steps,
        length=settings.block_length,
        tokens=settings.block_length,
        validated=2 * validations * settings.validation_blocks,
        data=data if settings.steps else 0.0,
        teacher=base,
    )


def student_of(base: ModelShape, settings: Phase1Settings) -> ModelShape:
    """The shape of phase 1's student."""
    return replace(base, layers=-(-base.layers // settings.layer_reduction_factor))


def fine_tuning_need(
    model: ModelShape,
    settings: SparseOptimisation,
    *,
    examples: int,
    validation: float,
    data: float,
    tokens: float,
    teacher: ModelShape | None = None,
) -> Need:
    """What a fine-tuning on so many labelled examples takes, validations on `validation` of them included."""
    an_epoch = math.ceil(examples / settings.batch_size)
    steps = an_epoch * (settings.dense_epochs + (settings.sparse_epochs if settings.density < 1 else 0.0))
    return training_need(
        model,
        settings,
        steps=steps,
        length=settings.max_length,
        tokens=tokens,
        validated=steps / (settings.evaluate_every or an_epoch) * validation,
        data=data,
        teacher=teacher,
    )


def language_sft_need(base: ModelShape, settings: TrainLanguageSftSettings, data: float) -> Need:
    """What both phases of a language SFT take."""
    blocks = data / COMPRESSED / BYTES_OF_A_TOKEN / settings.block_length
    an_epoch = max(1, math.ceil(blocks / settings.batch_size))
    of_phase = max(settings.minimum_steps, min(settings.maximum_steps, round(settings.maximum_epochs * an_epoch)))
    every = min(settings.evaluate_every or an_epoch, of_phase)
    return training_need(
        base,
        settings,
        steps=2 * of_phase,
        length=settings.block_length,
        tokens=settings.block_length,
        validated=2 * of_phase / every * settings.validation_blocks,
        data=data,
        outputs=min(OCCURRING_TOKENS, base.vocabulary),
    )


def scoring_need(model: ModelShape, *, examples: float, batch: int, length: int, tokens: float) -> Need:
    """What it takes to load a model twice over, as with an SFT, and to score it on examples."""
    held = 3 * model.weights + model.activations(batch * length, length) / model.layers
    return Need(
        PROCESS + held,
        "training",
        flops=model.forward_flops(examples * tokens, tokens),
        passes=model.layers * examples / batch,
        resamplings=1,
    )


def timing_need(teacher: ModelShape, student: ModelShape, settings: EvaluateSettings) -> Need:
    """What it takes to time both, with a batch and with single rows."""
    length, runs = settings.speed_length, settings.speed_repeats + 2
    flops = sum(model.forward_flops(runs * (1 + TIMED_ROWS) * length, length) for model in (teacher, student))
    held = scoring_need(teacher, examples=0, batch=TIMED_ROWS, length=length, tokens=length).bytes
    return Need(held, "training", flops=flops, timings=1)


def loading_need(model: ModelShape, start: str = "weights") -> Need:
    """What it takes to read a model, change it and write it."""
    return Need(PROCESS + 3 * model.weights, start)


def reading_need(data: float) -> Need:
    """What it takes to tokenise a text of so many bytes of Parquet, in one process."""
    return Need(PROCESS + TEXT * data, "weights", text=data / COMPRESSED)


def trimming_need(base: ModelShape, held_out: float) -> Need:
    """What it takes to cut a vocabulary, and to tokenise so many bytes of Parquet before and after."""
    return Need(loading_need(base).bytes + TEXT * held_out, "weights", text=2 * held_out / COMPRESSED)
