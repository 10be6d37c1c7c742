"""Universal Dependencies' CoNLL-U: ten columns per word, a blank line after each sentence."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bistil_core.data.format import shown
from bistil_core.data.readers import Lines
from bistil_core.data.text import lines_of
from bistil_core.errors import BistilError

_COLUMNS = 10
_FORM, _UPOS, _HEAD, _DEPREL = 1, 3, 6, 7

# "8-9" spells two words that are written as one, "8.1" is a word that nobody wrote: neither has a place in the tree.
_NO_SYNTACTIC_WORD = re.compile(r"\d+[-.]\d+")


def read_conllu(path: Path) -> Iterator[tuple[Lines, dict[str, Any]]]:
    """The sentences of a file, in order: `words`, `upos`, `heads` and `relations`, as they are written there.

    Only syntactic words count; multiword tokens and empty nodes are passed over, as are comments. Comments without
    words, or a blank line after another, are a sentence without words.

    Raises:
        BistilError: a line with other than ten columns, or a word out of turn, with file and line.
    """
    first = None
    words: list[tuple[int, list[str]]] = []
    for number, line in lines_of(path):
        if not line.strip():
            if number > 1:
                yield _sentence(first or number, words)
            first, words = None, []
            continue
        first = first or number
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != _COLUMNS:
            raise BistilError(
                f"{path}: line {number}: {len(cells)} columns where CoNLL-U has {_COLUMNS}, separated by tabs, "
                f"found {shown(line)}; correct the line"
            )
        if _NO_SYNTACTIC_WORD.fullmatch(cells[0]):
            continue
        if cells[0] != str(len(words) + 1):
            raise BistilError(
                f"{path}: line {number}: the word's number is {shown(cells[0])} where {len(words) + 1} is expected; "
                "number the words of a sentence from 1, and leave an empty line after it"
            )
        words.append((number, cells))
    if first is not None:
        yield _sentence(first, words)


def _sentence(first: int, words: list[tuple[int, list[str]]]) -> tuple[Lines, dict[str, Any]]:
    columns = {"words": _FORM, "heads": _HEAD, "relations": _DEPREL, "upos": _UPOS}
    values = {field: [cells[column] for _, cells in words] for field, column in columns.items()}
    return Lines(first, tuple(number for number, _ in words)), values
