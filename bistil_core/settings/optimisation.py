"""Settings that every training step shares."""

from typing import Literal

from pydantic import Field

from bistil_core.settings.base import Count, Density, Section


class Optimisation(Section):
    """AdamW with a learning rate that falls linearly to 0, no warm-up unless asked for."""

    learning_rate: float = Field(gt=0.0)
    batch_size: Count = Field(description="Examples (phase 1: blocks) per optimiser step.")
    weight_decay: float = Field(default=0.0, ge=0.0)
    warmup_fraction: float = Field(default=0.0, ge=0.0, lt=1.0)
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="bfloat16: autocast of the matrix products."
    )
    seed: int | None = Field(default=None, ge=0, description="In place of the global seed, for this step.")


class SparseTraining(Optimisation):
    """Lottery-ticket sparse fine-tuning (method: dense phase, selection, reset, sparse phase), however long."""

    density: Density = Field(
        description="Share of the encoder's parameters that may differ; 1.0 is plain full fine-tuning."
    )
    evaluate_every: Count | None = Field(
        default=None, description="Optimiser steps between validations; none: once an epoch."
    )
    freeze_layer_norm: bool = Field(default=False, description="Keep every LayerNorm of the encoder.")
    freeze_embeddings: bool = Field(default=False, description="Keep all embedding parameters.")
    freeze_layers: int = Field(default=0, ge=0, description="Keep this many of the encoder's lowest layers.")
    dropout: float | None = Field(
        default=None, ge=0.0, lt=1.0, description="In place of the model's own dropout rates."
    )


class SparseOptimisation(SparseTraining):
    """Lottery-ticket sparse fine-tuning on labelled examples."""

    dense_epochs: float = Field(gt=0.0)
    sparse_epochs: float = Field(gt=0.0, description="Not used where density is 1.0.")
    max_length: Count = Field(description="Tokens per example; longer ones are truncated.")
