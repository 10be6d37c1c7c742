"""Settings in the one spelling that Snakemake compares.

Snakemake reruns a step when the repr of its params changes, so values that mean the same must look the same.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from bistil_core.settings.configuration import Configuration
from bistil_core.settings.optimisation import Optimisation


def canonical(section: BaseModel | Mapping[str, Any], **extra: Any) -> dict[str, Any]:
    """A section, and values beside it, as a plain dictionary with sorted keys; 1.0 and 1 are both 1.

    What it returns makes the same section again when given to the section's class.
    """
    values = section.model_dump() if isinstance(section, BaseModel) else section
    return _plain({**values, **extra})


def seed_of(configuration: Configuration, stage_settings: Optimisation) -> int:
    """The seed of one training step: its own where it has one, else the global one."""
    return configuration.seed if stage_settings.seed is None else stage_settings.seed


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
