"""`checkpoints`: how much work an interruption may cost. No result depends on it."""

from pydantic import Field

from bistil_core.settings.base import Section


class CheckpointSettings(Section):
    """How often a training step saves where it stands."""

    every_minutes: float = Field(
        default=10.0, gt=0.0, description="Between checkpoints of a training step; what a power failure may cost."
    )


DEFAULT_INTERVAL = CheckpointSettings()
