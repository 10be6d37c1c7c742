"""Swahili: noun classes with their concords on adjectives and numerals; tense and negation inside the verb."""

from bistil_core.miniature.languages.sentence import Sentence, in_order
from bistil_core.miniature.lexicon import ADJECTIVES, NOUNS, PERSONS, PLACES, TIMES, VERBS
from bistil_core.miniature.world import Claim

# By class: the adjective's prefix before a consonant and before e.
_ADJECTIVE_PREFIX = {
    1: ("m", "mw"), 2: ("wa", "w"), 3: ("m", "mw"), 4: ("mi", "my"), 5: ("", "j"), 6: ("ma", "m"),
    7: ("ki", "ch"), 8: ("vi", "vy"), 9: ("", "ny"), 10: ("", "ny"),
}  # fmt: skip
# The nasal of classes 9 and 10 shows only before some consonants, and one-syllable -pya takes a prefix always.
_NASAL = {"-dogo": "ndogo", "-zuri": "nzuri", "-baya": "mbaya", "-zito": "nzito", "-refu": "ndefu",
          "-gumu": "ngumu", "-pya": "mpya"}  # fmt: skip

_NUMERALS = {1: "moja", 2: "wili", 3: "tatu", 4: "nne", 5: "tano"}
_NUMERAL_PREFIX = {1: "m", 2: "wa", 3: "m", 4: "mi", 5: "", 6: "ma", 7: "ki", 8: "vi", 9: "", 10: ""}


def _adjective(adjective: str, noun_class: int) -> str:
    stem = ADJECTIVES[adjective]["sw"]
    if not stem.startswith("-"):
        return stem
    if noun_class in (9, 10) and stem in _NASAL:
        return _NASAL[stem]
    if noun_class == 5 and stem == "-pya":
        return "jipya"
    return _ADJECTIVE_PREFIX[noun_class][stem[1] == "e"] + stem[1:]


def _number(number: int, noun_class: int) -> str:
    if number == 6:
        return "sita"
    if noun_class == 10 and number == 2:
        return "mbili"
    return _NUMERAL_PREFIX[noun_class] + _NUMERALS[number]


def _verb(claim: Claim) -> str:
    stem = VERBS[claim.verb]["sw"]
    if not claim.negated:
        return {"past": "ali", "present": "ana", "future": "ata"}[claim.tense] + stem
    if claim.tense == "present":
        # Verbs of Arabic origin (sahau) keep their last vowel.
        return "ha" + (stem[:-1] + "i" if stem.endswith("a") else stem)
    return {"past": "haku", "future": "hata"}[claim.tense] + stem


def realise(claim: Claim) -> Sentence:
    """`jana Ali hakununua matofaa makubwa matatu sokoni`."""
    noun = NOUNS[claim.noun]
    noun_class = noun.sw_class + (claim.number != 1)
    return in_order(
        ("time", claim.time and TIMES[claim.time]["sw"]),
        ("subject", PERSONS[claim.subject]["sw"] if claim.subject in PERSONS else claim.subject),
        ("verb", _verb(claim)),
        ("noun", noun.sw[claim.number != 1]),
        ("adjective", claim.adjective and _adjective(claim.adjective, noun_class)),
        ("number", claim.number and _number(claim.number, noun_class)),
        ("place", claim.place and PLACES[claim.place]["sw"]),
    )
