"""Indonesian: no inflection at all; tense by particles. The language that the miniature's model never saw."""

from bistil_core.miniature.languages.sentence import Sentence, in_order
from bistil_core.miniature.lexicon import ADJECTIVES, NOUNS, NUMBERS, PERSONS, PLACES, TIMES, VERBS
from bistil_core.miniature.world import Claim


def _verb(claim: Claim) -> str:
    verb = VERBS[claim.verb]["id"]
    if claim.negated:
        return f"tidak akan {verb}" if claim.tense == "future" else f"tidak {verb}"
    return {"past": f"telah {verb}", "present": verb, "future": f"akan {verb}"}[claim.tense]


def realise(claim: Claim) -> Sentence:
    """`kemarin Ali tidak membeli tiga apel besar di pasar`."""
    return in_order(
        ("time", claim.time and TIMES[claim.time]["id"]),
        ("subject", f"{PERSONS[claim.subject]['id']} itu" if claim.subject in PERSONS else claim.subject),
        ("verb", _verb(claim)),
        ("number", claim.number and NUMBERS[claim.number]["id"]),
        ("noun", NOUNS[claim.noun].id),
        ("adjective", claim.adjective and ADJECTIVES[claim.adjective]["id"]),
        ("place", claim.place and PLACES[claim.place]["id"]),
    )
