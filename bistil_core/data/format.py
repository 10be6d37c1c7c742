"""What the examples of one task look like: their fields as they lie in Parquet, and how a user's values become them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa


class FieldError(Exception):
    """A value that a task's field cannot take; the reader of the file adds where it stands.

    Attributes:
        word: index of the word that it is about, in fields with an entry per word.
    """

    def __init__(self, field: str, value: Any, allowed: str, word: int | None = None):
        super().__init__(f"{field} is {shown(value)}, allowed: {allowed}")
        self.word = word


Reader = Callable[[Path], Iterator[tuple[Any, dict[str, Any]]]]
"""Of one kind of file: where each example stands, text or `bistil_core.data.readers.Lines`, and its raw values."""


def _no_changes(values: Mapping[str, Any], example: Mapping[str, Any]) -> dict[str, int]:
    return {}


@dataclass(frozen=True)
class Format:
    """How the examples of one task look.

    Attributes:
        schema: the columns of the Parquet files.
        normalise: the raw values of one example by field -> the values of the schema's columns, or None
            for an example to be left out. Raises FieldError.
        changes: (raw values, what `normalise` made of them) -> how often it changed what a user would want to
            know of, by name.
        raw_fields: the fields of an example in a file, where they are not the schema's columns.
        readers: kinds of files that are this task's own, by suffix; they go before those that all tasks share.
        left_out: what is the matter with examples that are left out.
        labels: what the task's head tells apart, in the order of its rows.
    """

    schema: pa.Schema
    normalise: Callable[[Mapping[str, Any]], dict[str, Any] | None]
    changes: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, int]] = _no_changes
    raw_fields: tuple[str, ...] = ()
    readers: Mapping[str, Reader] = field(default_factory=dict)
    left_out: str = "without a gold label"
    labels: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of an example in a file."""
        return self.raw_fields or tuple(self.schema.names)


def shown(value: Any) -> str:
    """A value for a message: its repr, cut to 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
