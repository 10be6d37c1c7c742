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
