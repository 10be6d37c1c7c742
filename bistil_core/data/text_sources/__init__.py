"""Where unlabelled text comes from: one module per kind of source, named as the configuration's `kind`.

A module `bistil_core/data/text_sources/<kind>.py` has `documents(source, language, seed) -> Documents`.
"""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Documents:
    """Raw text.

    Attributes:
        name: what a result calls it.
        revision: of a source that has versions, else None.
        files: {"name", "sha256", "bytes"} of each file read, in order.
        texts: the documents; to be read once.
    """

    name: str
    revision: str | None
    files: list[dict[str, Any]]
    texts: Iterator[str]


def text_source(kind: str) -> ModuleType:
    """The module that reads sources of one kind; the configuration has checked that there is one."""
    return importlib.import_module(f"{__name__}.{kind}")
