"""Sentences that are lists of words, with lists of what is said of each word beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

from bistil_core.data.format import FieldError
from bistil_core.data.text import clean


def words_and(annotations: Sequence[str], words: str, values: Mapping[str, Any]) -> list[list[Any]]:
    """The words of a sentence, each cleaned, and the lists of its annotations, as long as that of the words.

    Args:
        annotations: names of the fields that say something of each word.
        words: name of the field that holds the words.
        values: raw values of the sentence by field.

    Raises:
        FieldError: a field that is no list or has another length, a word that is not text or has no visible
            character, the latter with the word's index.
    """
    lists = []
    for field in (words, *annotations):
        value = values[field]
        if not isinstance(value, list):
            raise FieldError(field, value, "a list with an entry per word")
        if len(value) != len(values[words]):
            raise FieldError(field, value, f"a list of {len(values[words])} entries, as many as {words} has")
        lists.append(value)
    return [[_word(words, word, index) for index, word in enumerate(lists[0])], *lists[1:]]


def _word(field: str, word: Any, index: int) -> str:
    text = clean(word) if isinstance(word, str) else ""
    if not text:
        raise FieldError(field, word, "text with a visible character", index)
    return text
