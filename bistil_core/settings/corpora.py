"""`base_models` and `corpora`: what goes in."""

from pydantic import Field

from bistil_core.settings.base import Fraction, Section
from bistil_core.settings.sources import ModelSource, TextSource


class BaseModelSettings(Section):
    """One massively multilingual Transformer."""

    source: ModelSource


class CorpusSettings(Section):
    """The unlabelled text of one language."""

    source: TextSource
    validation_fraction: Fraction = Field(default=0.05, description="Held out, a seeded sample of documents.")
    minimum_characters: int = Field(default=1, ge=1, description="Shorter documents are dropped.")
