"""Spanish: adjectives after the noun, agreeing with it in gender and number."""

from bistil_core.miniature.languages.sentence import Sentence, in_order
from bistil_core.miniature.lexicon import ADJECTIVES, NOUNS, PERSONS, PLACES, TENSES, TIMES, VERBS
from bistil_core.miniature.world import Claim

_NUMBERS = {2: "dos", 3: "tres", 4: "cuatro", 5: "cinco", 6: "seis"}


def _number(number: int, feminine: bool) -> str:
    return ("una" if feminine else "un") if number == 1 else _NUMBERS[number]


def _adjective(adjective: str, feminine: bool, plural: bool) -> str:
    return ADJECTIVES[adjective]["es"][feminine] + ("s" if plural else "")


def _verb(claim: Claim) -> str:
    form = VERBS[claim.verb]["es"][TENSES.index(claim.tense)]
    return f"no {form}" if claim.negated else form


def realise(claim: Claim) -> Sentence:
    """`ayer Ali no compró tres manzanas grandes en el mercado`."""
    noun = NOUNS[claim.noun]
    feminine, plural = noun.es_gender == "f", claim.number != 1
    return in_order(
        ("time", claim.time and TIMES[claim.time]["es"]),
        ("subject", PERSONS[claim.subject]["es"] if claim.subject in PERSONS else claim.subject),
        ("verb", _verb(claim)),
        ("number", claim.number and _number(claim.number, feminine)),
        ("noun", noun.es[plural]),
        ("adjective", claim.adjective and _adjective(claim.adjective, feminine, plural)),
        ("place", claim.place and PLACES[claim.place]["es"]),
    )
