"""Which tokens keep a language's characters from becoming unknown, however rarely each occurs."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np


def covering_token_ids(
    counts_by_language: Mapping[str, np.ndarray], coverage: float, surface_forms: Mapping[int, str]
) -> set[int]:
    """Ids of all single-character tokens of the characters that `coverage` of a language's text is made of.

    Per language these are the most frequent characters, with all that are as frequent as the last of them. They
    are counted in the tokens, so a character that the tokenizer itself does not know is none.

    Args:
        counts_by_language: language -> counts indexed by token id.
        coverage: share of the character occurrences, above 0; 1.0 takes every character that occurs.
        surface_forms: token id -> the text that it stands for, as the algorithm's `surface_forms` gives it.
    """
    covered = set().union(
        *(_most_frequent(_occurrences(counts, surface_forms), coverage) for counts in counts_by_language.values())
    )
    return {index for index, surface in surface_forms.items() if surface in covered}


def _occurrences(counts: np.ndarray, surface_forms: Mapping[int, str]) -> Counter[str]:
    occurrences = Counter()
    for index, count in enumerate(counts.tolist()):
        if count:
            for character in surface_forms.get(index, ""):
                occurrences[character] += count
    return occurrences


def _most_frequent(occurrences: Counter[str], coverage: float) -> Iterable[str]:
    needed, covered = coverage * occurrences.total(), 0
    least = 0
    for _, count in occurrences.most_common():
        if covered >= needed:
            break
        covered, least = covered + count, count
    return {character for character, count in occurrences.items() if count >= least}
