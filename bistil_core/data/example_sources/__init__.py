"""Where labelled examples come from: one module per kind of source, named as the configuration's `kind`.

A module `bistil_core/data/example_sources/<kind>.py` has
`examples(source, task, language, split, seed) -> Examples`.
"""

import importlib
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Examples:
    """Labelled examples in the task's format.

    Attributes:
        name: what a result calls them.
        revision: of a source that has versions, else None.
        sha256: of the source file, or of the content where there is none.
        dropped: how many were left out, for want of a gold label or of words, as the task's format says.
        table: columns as in the schema of the task's format.
        changed: how often reading changed what, as the task's format says.
    """

    name: str
    revision: str | None
    sha256: str
    dropped: int
    table: pa.Table
    changed: dict[str, int] = field(default_factory=dict)

    def provenance(self) -> dict[str, Any]:
        """What a result says about these examples."""
        return {
            "name": self.name,
            "revision": self.revision,
            "sha256": self.sha256,
            "examples": self.table.num_rows,
            "dropped": self.dropped,
            **self.changed,
        }


def example_source(kind: str) -> ModuleType:
    """The module that reads sources of one kind; the configuration has checked that there is one."""
    return importlib.import_module(f"{__name__}.{kind}")
