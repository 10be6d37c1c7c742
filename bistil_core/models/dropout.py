"""A model's dropout rates, whatever its family calls them."""

from pathlib import Path

from transformers import AutoConfig

from bistil_core.models.families import family_of


def dropout_overrides(folder: str | Path, rate: float | None) -> dict[str, float]:
    """Configuration values that set every dropout rate within the encoder of `folder`; none for a rate of None."""
    if rate is None:
        return {}
    model_type = AutoConfig.from_pretrained(str(folder), local_files_only=True).model_type
    return dict.fromkeys(family_of(model_type).dropout, rate)
