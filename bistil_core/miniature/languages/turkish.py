"""Turkish: the verb last, everything else in suffixes that follow vowel harmony."""

from bistil_core.miniature.languages.sentence import Sentence, in_order
from bistil_core.miniature.lexicon import ADJECTIVES, NOUNS, NUMBERS, PERSONS, PLACES, TIMES, VERBS
from bistil_core.miniature.world import Claim

_HIGH = {"a": "ı", "ı": "ı", "e": "i", "i": "i", "o": "u", "u": "u", "ö": "ü", "ü": "ü"}
_BACK = "aıou"
_VOICELESS = "çfhkpsşt"


def _last_vowel(word: str) -> str:
    return next(letter for letter in reversed(word) if letter in _HIGH)


def _low(word: str) -> str:
    return "a" if _last_vowel(word) in _BACK else "e"


def _plural(noun: str) -> str:
    return f"{noun}l{_low(noun)}r"


def _past(stem: str) -> str:
    return stem + ("t" if stem[-1] in _VOICELESS else "d") + _HIGH[_last_vowel(stem)]


def _present(stem: str) -> str:
    if stem[-1] in _HIGH:
        stem = stem[:-1]
    return stem + _HIGH[_last_vowel(stem)] + "yor"


def _future(stem: str) -> str:
    low = _low(stem)
    return stem + ("y" if stem[-1] in _HIGH else "") + f"{low}c{low}k"


_TENSES = {"past": _past, "present": _present, "future": _future}


def _verb(claim: Claim) -> str:
    stem = VERBS[claim.verb]["tr"]
    return _TENSES[claim.tense](f"{stem}m{_low(stem)}" if claim.negated else stem)


def _subject(subject: str) -> str:
    return PERSONS[subject]["tr"] if subject in PERSONS else subject


def realise(claim: Claim) -> Sentence:
    """`dün Ali pazarda üç büyük elma almadı`; a numeral takes the singular."""
    noun = NOUNS[claim.noun].tr
    return in_order(
        ("time", claim.time and TIMES[claim.time]["tr"]),
        ("subject", _subject(claim.subject)),
        ("place", claim.place and PLACES[claim.place]["tr"]),
        ("number", claim.number and NUMBERS[claim.number]["tr"]),
        ("adjective", claim.adjective and ADJECTIVES[claim.adjective]["tr"]),
        ("noun", noun if claim.number else _plural(noun)),
        ("verb", _verb(claim)),
    )
