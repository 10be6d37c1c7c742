"""Named entities as CoNLL-2003 writes them: a word and its tag per line, a blank line after each sentence."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bistil_core.data.format import shown
from bistil_core.data.readers import Lines
from bistil_core.data.text import lines_of
from bistil_core.errors import BistilError

_DOCUMENT_START = "-DOCSTART-"

# Tabs and plain spaces only: a no-break space is a character of its word.
_GAP = re.compile(r"[ \t]+")

# Word and tag; or word, part of speech, chunk and tag, as CoNLL-2003 was first distributed.
_WIDTHS = (2, 4)


def read_conll(path: Path) -> Iterator[tuple[Lines, dict[str, Any]]]:
    """The sentences of a file, in order, as `tokens` and `tags`, the first and the last column.

    A line that begins with -DOCSTART- belongs to no sentence, nor does the blank line after it. A blank line after
    another is the end of a sentence without words.

    Raises:
        BistilError: a line with other than two or four columns, or than the first line has, with file and line.
    """
    width = None
    words: list[tuple[int, str, str]] = []
    separate = False
    for number, line in lines_of(path):
        if not line.strip():
            if words or separate:
                yield _sentence(number, words)
            words, separate = [], True
            continue
        cells = _GAP.split(line.strip(" \t"))
        if cells[0] == _DOCUMENT_START:
            if words:
                yield _sentence(number, words)
            words, separate = [], False
            continue
        width = width or len(cells)
        if len(cells) != width or width not in _WIDTHS:
            expected = str(width) if width in _WIDTHS else " or ".join(map(str, _WIDTHS))
            raise BistilError(
                f"{path}: line {number}: {len(cells)} columns where {expected} are expected, found {shown(line)}; "
                "write a word, a space or tab, and its tag, and an empty line after each sentence"
            )
        words.append((number, cells[0], cells[-1]))
    if words:
        yield _sentence(number, words)


def _sentence(end: int, words: list[tuple[int, str, str]]) -> tuple[Lines, dict[str, Any]]:
    lines = tuple(number for number, _, _ in words)
    values = {"tokens": [token for _, token, _ in words], "tags": [tag for _, _, tag in words]}
    return Lines(lines[0] if lines else end, lines), values
