"""One module per task: the fields of its examples as they lie in Parquet, and how a user's values become them.

A module `bistil_core/data/formats/<task>.py` holds one `FORMAT`; it imports no torch.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa


class FieldError(Exception):
    """A value that a task's field cannot take; the reader of the file adds where it stands."""

    def __init__(self, field: str, value: Any, allowed: str):
        super().__init__(f"{field} is {shown(value)}, allowed: {allowed}")


@dataclass(frozen=True)
class Format:
    """How the examples of one task look.

    Attributes:
        schema: the columns of the Parquet files; their names are the task's fields.
        normalise: the raw values of one example by field -> the values of the schema's columns, or None
            for an example to be left out. Raises FieldError.
    """

    schema: pa.Schema
    normalise: Callable[[Mapping[str, Any]], dict[str, Any] | None]


def format_of(task: str) -> Format:
    """The format that `bistil_core/data/formats/<task>.py` describes; the configuration has checked its name."""
    return importlib.import_module(f"{__name__}.{task}").FORMAT


def shown(value: Any) -> str:
    """A value for a message: its repr, cut to 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
