"""The miniature's languages: a claim in, a sentence of words with their slots out."""

from bistil_core.errors import BistilError
from bistil_core.miniature.languages import english, indonesian, spanish, swahili, turkish
from bistil_core.miniature.languages.sentence import Sentence
from bistil_core.miniature.world import Claim

_MODULES = {"en": english, "sw": swahili, "tr": turkish, "es": spanish, "id": indonesian}

LANGUAGES = tuple(_MODULES)
"""Codes of all languages of the miniature."""

PRETRAINING_LANGUAGES = ("en", "sw", "tr", "es")
"""Those that the miniature's multilingual model was pretrained on; it has never seen the others."""


def realise(claim: Claim, language: str) -> Sentence:
    """The sentence that says `claim` in `language`: lower case but for names, without its full stop.

    Raises:
        BistilError: the miniature does not speak `language`.
    """
    if language not in _MODULES:
        raise BistilError(
            f"the miniature has no language {language!r}: choose one of {', '.join(LANGUAGES)}, "
            "or give files of your own"
        )
    return _MODULES[language].realise(claim)
