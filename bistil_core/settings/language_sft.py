"""`language_sft` and `train_language_sft`: sparse fine-tunings that adapt the teacher to a language."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from bistil_core.settings.base import Count, Density, Fraction, Section
from bistil_core.settings.optimisation import SparseTraining
from bistil_core.settings.sources import HubFiles


class TrainedSft(Section):
    """Learnt from the language's corpus, for every base model, as `train_language_sft` says."""

    kind: Literal["train"]


class SftFile(Section):
    """One of the user's: a file of `SparseFineTuning.save`, or a composable-sft `pytorch_diff.bin` or its folder."""

    kind: Literal["file"]
    path: str


def _from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return {"kind": "train"} if value == "train" else {"kind": "hub", "repository": value, "revision": "main"}


_SftSource = Annotated[TrainedSft | SftFile | HubFiles, Field(discriminator="kind")]
_ShortForm = Annotated[str, Field(pattern=r"^(train|[\w.-]+/[\w.-]+)$", description="train, or owner/name on the hub.")]

LanguageSft = Annotated[_SftSource, BeforeValidator(_from_text, json_schema_input_type=_ShortForm | _SftSource)]
"""`train`, `OWNER/NAME` (the hub's branch main) or a mapping with a kind."""


class TrainLanguageSftSettings(SparseTraining):
    """Lottery-ticket sparse fine-tuning with the masked language modelling objective (method.md section 3)."""

    density: Density = Field(default=0.04, description="Share of the encoder's trainable parameters that may differ.")
    maximum_steps: Count = Field(default=100_000, description="Of each phase.")
    maximum_epochs: float = Field(default=200.0, gt=0.0, description="Of each phase.")
    minimum_steps: Count = Field(default=30_000, description="Of each phase, whatever `maximum_epochs` says.")
    block_length: int = Field(default=256, ge=8, description="Tokens per block.")
    mask_probability: Fraction = Field(default=0.15, description="Share of tokens masked, 80/10/10.")
    validation_blocks: Count = Field(default=1000, description="At most this many held-out blocks.")
    regularisation: float = Field(
        default=0.0, ge=0.0, description="Times the mean |difference| over the encoder is added to the loss (L1)."
    )
