"""`trim`: the bilingual vocabulary cut (BiStil section 3.1)."""

from typing import Annotated

from pydantic import Field

from bistil_core.settings.base import Section


class TrimSettings(Section):
    """Which tokens of the base model stay."""

    threshold: Annotated[float, Field(ge=0.0, lt=1.0)] = Field(
        default=1.0e-6,
        description="Keep a token whose unigram probability in either language is at least this.",
    )
    character_coverage: Annotated[float, Field(gt=0.0, le=1.0)] | None = Field(
        default=None,
        description="Keep as well the single-character tokens of the most frequent characters that make up this "
        "share of either language's text.",
    )
