"""What a step asks of the machine that it runs on: memory, and work to be divided by the machine's speed.

A request that is too small is killed, one that is too large waits in the queue: the model is simple and errs upwards.
`benchmarks/step_resources.py` holds it against what steps take (docs/cluster.md).
"""

import errno
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from bistil_core.files import read_json
from bistil_core.settings.language_sft import TrainLanguageSftSettings
from bistil_core.settings.optimisation import SparseOptimisation
from bistil_core.settings.phase1 import Phase1Settings

PROCESS = 1.5e9
"""Bytes of a process that has loaded Python, torch and transformers, with room for CUDA's host memory."""

TEXT = 8
"""Bytes in memory for each byte of a Parquet file of text: the text, its tokens and the blocks of them."""

FLOAT = 4


class NotMadeYet(FileNotFoundError):
    """An input that an earlier step will write; `filename` is its folder."""


@dataclass(frozen=True)
class Need:
    """What a step asks for.

    Attributes:
        bytes: of memory, at its peak.
        flops: floating-point operations, most of them in matrix products.
        read: bytes of Parquet that are read and tokenised.
    """

    bytes: float = PROCESS
    flops: float = 0.0
    read: float = 0.0


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a Transformer encoder that decide its memory and its work."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    vocabulary: int

    @classmethod
    def of(cls, folder: str | Path) -> "ModelShape":
        """The shape of the model in a folder with a config.json.

        Raises:
            NotMadeYet: the folder is not there yet; the error names the folder.
        """
        config = read_json(_made(folder) / "config.json")
        hidden = config["hidden_size"]
        return cls(
            layers=config["num_hidden_layers"],
            hidden=hidden,
            intermediate=config.get("intermediate_size", 4 * hidden),
            heads=config["num_attention_heads"],
            vocabulary=config["vocab_size"],
        )

    @property
    def body(self) -> int:
        """Parameters of the layers, those of a gated feed-forward block included."""
        return self.layers * (4 * self.hidden**2 + 3 * self.hidden * self.intermediate)

    @property
    def parameters(self) -> int:
        """All parameters, with up to 512 positions."""
        return self.body + (self.vocabulary + 512) * self.hidden

    def activations(self, tokens: int, length: int) -> float:
        """Bytes that the forward pass keeps for the backward pass, in float32.

        Args:
            tokens: in a batch.
            length: of its rows.
        """
        return tokens * self.layers * FLOAT * (17 * self.hidden + 3 * self.heads * length)


def training_need(
    model: ModelShape, *, teacher: ModelShape | None, steps: int, batch: int, length: int, data: float, outputs: int = 0
) -> Need:
    """What it takes to train all of `model`: weights, their start, gradients and AdamW's two moments.

    Args:
        teacher: evaluated beside it on the same batches.
        steps: optimiser steps.
        batch: rows a step.
        length: tokens a row.
        data: bytes of Parquet of the training data.
        outputs: logits per token, as of masked language modelling.
    """
    tokens = batch * length
    held = 5 * model.parameters * FLOAT + model.activations(tokens, length) + 4 * tokens * outputs * FLOAT
    work = 6 * (model.body + model.hidden * outputs)
    if teacher is not None:
        held += 2 * teacher.parameters * FLOAT + teacher.activations(tokens, length) / 2
        work += 2 * teacher.body
    return Need(PROCESS + held + TEXT * data, steps * tokens * work, data)


def phase1_need(base: ModelShape, settings: Phase1Settings, data: float) -> Need:
    """What phase 1 takes; the student is as large as the teacher where the vocabulary is not cut at all."""
    student = ModelShape(
        -(-base.layers // settings.layer_reduction_factor),
        base.hidden, base.intermediate, base.heads, base.vocabulary,
    )  # fmt: skip
    return training_need(
        student,
        teacher=base,
        steps=settings.steps,
        batch=settings.batch_size,
        length=settings.block_length,
        data=data,
    )


def fine_tuning_need(
    model: ModelShape, settings: SparseOptimisation, examples: int, data: float, teacher: ModelShape | None = None
) -> Need:
    """What a fine-tuning on labelled examples takes, with validations; sequences of full length at most."""
    epochs = settings.dense_epochs + (settings.sparse_epochs if settings.density < 1 else 0)
    return training_need(
        model,
        teacher=teacher,
        steps=round(epochs * examples / settings.batch_size) + 1,
        batch=settings.batch_size,
        length=settings.max_length,
        data=data,
    )


def language_sft_need(base: ModelShape, settings: TrainLanguageSftSettings, data: float) -> Need:
    """What a language SFT takes if each of its two phases is as long as it may be."""
    return training_need(
        base,
        teacher=None,
        steps=2 * max(settings.minimum_steps, settings.maximum_steps),
        batch=settings.batch_size,
        length=settings.block_length,
        data=data,
        outputs=base.vocabulary,
    )


def scoring_need(model: ModelShape, examples: int, batch: int, length: int, data: float) -> Need:
    """What it takes to load a model twice over, as with an SFT, and to run it on examples."""
    tokens = batch * length
    held = 3 * model.parameters * FLOAT + model.activations(tokens, length) / model.layers
    return Need(PROCESS + held + TEXT * data, 2 * examples * length * model.body, data)


def loading_need(model: ModelShape) -> Need:
    """What it takes to read a model, change it and write it."""
    return Need(PROCESS + 3 * model.parameters * FLOAT)


def reading_need(data: float) -> Need:
    """What it takes to read a text of so many bytes, in one process."""
    return Need(PROCESS + TEXT * data, read=data)


def parquet_size(*folders: str | Path) -> float:
    """Bytes of the Parquet files in folders; NotMadeYet names the first folder that is not there yet."""
    return sum(file.stat().st_size for folder in folders for file in _made(folder).rglob("*.parquet"))


def rows_in(folder: str | Path, name: str) -> int:
    """Rows of a Parquet file in a folder; NotMadeYet names the folder if it is not there yet."""
    return pq.read_metadata(_made(folder) / name).num_rows


def _made(folder: str | Path) -> Path:
    if not Path(folder).exists():
        raise NotMadeYet(errno.ENOENT, "not made yet", str(folder))
    return Path(folder)
