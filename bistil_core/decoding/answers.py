"""Answers from span scores, and what they score against the gold ones (SQuAD v1.1's measures)."""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np

LONGEST_ANSWER = 30
"""Tokens of the longest answer that is looked for, as in BERT's own evaluation of SQuAD."""

_ARTICLE = re.compile(r"\b(?:an?|the)\b")


def best_span(start_scores: np.ndarray, end_scores: np.ndarray) -> tuple[int, int, float]:
    """First and last position (last >= first, at most LONGEST_ANSWER tokens) with the highest sum, and that sum.

    Args:
        start_scores: float (L,) of the positions at which an answer may begin.
        end_scores: float (L,).
    """
    count = len(start_scores)
    sums = start_scores[:, None] + end_scores[None]
    places = np.arange(count)
    length = places[None] - places[:, None]
    sums = np.where((length >= 0) & (length < LONGEST_ANSWER), sums, -np.inf)
    first, last = divmod(int(sums.argmax()), count)
    return first, last, float(sums[first, last])


def normalised(text: str, language: str) -> str:
    """An answer as it is compared: lower case, without punctuation, without English articles, single spaces.

    English has the official script's ASCII punctuation; other languages lose all that Unicode calls punctuation, for
    theirs is another. Articles go in English alone: elsewhere the same letters are other words.
    """
    kept = "".join(character for character in text.lower() if not _is_punctuation(character, language == "en"))
    return " ".join((_ARTICLE.sub(" ", kept) if language == "en" else kept).split())


def exact_match(answer: str, gold: Sequence[str], language: str) -> float:
    """1 where the answer is one of the gold ones, once normalised, else 0."""
    found = normalised(answer, language)
    return float(any(found == normalised(text, language) for text in gold))


def token_f1(answer: str, gold: Sequence[str], language: str) -> float:
    """The harmonic mean of precision and recall of the answer's words, against the gold answer that suits it best."""
    words = normalised(answer, language).split()
    return max(_f1(words, normalised(text, language).split()) for text in gold)


def _f1(words: list[str], gold: list[str]) -> float:
    common = sum((Counter(words) & Counter(gold)).values())
    return 2 * common / (len(words) + len(gold)) if common else 0.0


@cache
def _is_punctuation(character: str, ascii_only: bool) -> bool:
    if character in string.punctuation:
        return True
    return not ascii_only and unicodedata.category(character).startswith("P")
