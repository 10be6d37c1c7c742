"""Kinds of files that only some tasks have; a task's format says which of them are its own.

A module here has one function that yields a file's examples as `bistil_core.data.examples` takes them: where each
stands, and its raw values by field.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bistil_core.errors import BistilError


@dataclass(frozen=True)
class Lines:
    """Where a sentence stands in a file with a word per line.

    Attributes:
        first: the number of its first line, counted from 1.
        of_words: the number of each word's line.
    """

    first: int
    of_words: tuple[int, ...]

    def __str__(self) -> str:
        return f"line {self.first}"

    def word(self, index: int) -> str:
        """Where the word of this index, counted from 0, stands."""
        return f"line {self.of_words[index]}"


def parsed_json(path: Path, place: object, text: str) -> Any:
    """The value that JSON text stands for; other text is a BistilError with file and place."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise BistilError(f"{path}: {place} is not JSON ({error})") from None
