"""`phase1`: general bilingual distillation (BiStil section 3.2)."""

from typing import Literal

from pydantic import Field

from bistil_core.settings.base import Count, Fraction
from bistil_core.settings.optimisation import Optimisation


class Phase1Settings(Optimisation):
    """How the task-agnostic student is distilled."""

    layer_reduction_factor: Count = Field(
        default=2, description="Teacher layers per student layer; must divide the teacher's layers."
    )
    steps: int = Field(ge=0, description="Optimiser steps; 0 leaves the student as initialised (the ablation).")
    block_length: int = Field(default=256, ge=8, description="Tokens per block.")
    mask_probability: Fraction = Field(default=0.15, description="Share of tokens masked, 80/10/10.")
    evaluate_every: Count = Field(description="Optimiser steps between validations.")
    validation_blocks: Count = Field(default=1000, description="At most this many held-out blocks a language.")
    padding_reading: Literal["real", "reference"] = Field(
        default="real",
        description="`reference`: find padding as the published code does (method.md section 2).",
    )
