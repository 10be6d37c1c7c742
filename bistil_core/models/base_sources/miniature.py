"""The model that ships with the package."""

from pathlib import Path

from bistil_core.models.base_sources import Identity
from bistil_core.models.model_files import MINIATURE, copy_model
from bistil_core.settings.sources import MiniatureModel


def write(source: MiniatureModel, folder: Path, name: str, seed: int) -> Identity:
    """A copy of it."""
    copy_model(MINIATURE, folder, name)
    return Identity("bistil-miniature")
