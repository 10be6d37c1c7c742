"""What every language makes of a claim: phrases in the language's own order, each with its slot."""

from collections.abc import Iterable

Sentence = tuple[tuple[str, str], ...]
"""(slot, phrase) in word order; translations of a claim have the same slots, each exactly once."""


def in_order(*phrases: tuple[str, str | None]) -> Sentence:
    """The phrases that are there."""
    return tuple((slot, phrase) for slot, phrase in phrases if phrase is not None)


def text(sentence: Iterable[tuple[str, str]]) -> str:
    """The sentence as written, with its full stop."""
    return " ".join(phrase for _, phrase in sentence) + "."
