"""Scenes, and claims about them: what a sentence says before any language has said it."""

from dataclasses import dataclass, replace
from random import Random

from bistil_core.miniature.lexicon import (
    HYPERNYMS,
    NUMBERS,
    OPPOSITE_ADJECTIVES,
    OPPOSITE_VERBS,
    PLACES,
    SUBJECTS,
    TENSES,
    TIMES_OF_TENSE,
    VERBS,
)

DETAILS = ("number", "adjective", "kind", "place", "time")
"""What a claim may leave out. Without `kind` it names the object by its hypernym: fruits for apples."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence's meaning; a detail left out is None, an object without a number is a bare plural."""

    subject: str
    verb: str
    tense: str
    noun: str
    number: int | None = None
    adjective: str | None = None
    place: str | None = None
    time: str | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """One event in full. Nobody does both of two opposite things to the same object."""

    subject: str
    verb: str
    tense: str
    noun: str
    number: int
    adjective: str
    place: str
    time: str

    def claim(self, details: frozenset[str], negated: bool = False) -> Claim:
        """What `details` (a subset of DETAILS) let one say of this event, or of its absence."""
        return Claim(
            subject=self.subject,
            verb=self.verb,
            tense=self.tense,
            noun=self.noun if "kind" in details else HYPERNYMS[self.noun],
            number=self.number if "number" in details else None,
            adjective=self.adjective if "adjective" in details else None,
            place=self.place if "place" in details else None,
            time=self.time if "time" in details else None,
            negated=negated,
        )


_NOUNS, _VERBS, _PLACES = tuple(HYPERNYMS), tuple(VERBS), tuple(PLACES)
_NUMBERS, _ADJECTIVES = tuple(NUMBERS), tuple(OPPOSITE_ADJECTIVES)


def draw_scene(random: Random) -> Scene:
    """A scene with every value equally likely."""
    tense = random.choice(TENSES)
    return Scene(
        subject=random.choice(SUBJECTS),
        verb=random.choice(_VERBS),
        tense=tense,
        noun=random.choice(_NOUNS),
        number=random.choice(_NUMBERS),
        adjective=random.choice(_ADJECTIVES),
        place=random.choice(_PLACES),
        time=random.choice(TIMES_OF_TENSE[tense]),
    )


def draw_details(random: Random, size: int) -> frozenset[str]:
    """`size` of the DETAILS, every subset equally likely."""
    return frozenset(random.sample(DETAILS, size))


def contradict(claim: Claim, slot: str, random: Random) -> Claim:
    """`claim` with the value of `slot` (verb, adjective or number) replaced by one that excludes it.

    Keeps uniform values uniform, so that no label can be read off one sentence.
    """
    if slot == "verb":
        return replace(claim, verb=OPPOSITE_VERBS[claim.verb])
    if slot == "adjective":
        return replace(claim, adjective=OPPOSITE_ADJECTIVES[claim.adjective])
    return replace(claim, number=random.choice([number for number in NUMBERS if number != claim.number]))
