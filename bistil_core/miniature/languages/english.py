"""English: subject, verb, object; irregular pasts and plurals; do-support."""

from bistil_core.miniature.languages.sentence import Sentence, in_order
from bistil_core.miniature.lexicon import NOUNS, NUMBERS, PERSONS, VERBS
from bistil_core.miniature.world import Claim


def _verb(claim: Claim) -> str:
    base, past, third_person = VERBS[claim.verb]["en"]
    if claim.negated:
        return {"past": "did not", "present": "does not", "future": "will not"}[claim.tense] + " " + base
    return {"past": past, "present": third_person, "future": f"will {base}"}[claim.tense]


def realise(claim: Claim) -> Sentence:
    """`yesterday Ali did not buy three big apples at the market`."""
    return in_order(
        ("time", claim.time),
        ("subject", f"the {claim.subject}" if claim.subject in PERSONS else claim.subject),
        ("verb", _verb(claim)),
        ("number", claim.number and NUMBERS[claim.number]["en"]),
        ("adjective", claim.adjective),
        ("noun", NOUNS[claim.noun].en[claim.number != 1]),
        ("place", claim.place),
    )
