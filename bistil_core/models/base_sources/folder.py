"""A model folder of the user's."""

from pathlib import Path

from bistil_core.models.base_sources import Identity
from bistil_core.models.model_files import copy_model
from bistil_core.settings.sources import ModelFolder


def write(source: ModelFolder, folder: Path, name: str, seed: int) -> Identity:
    """A copy of its model and tokenizer."""
    copy_model(Path(source.path), folder, name)
    return Identity(Path(source.path).name)
