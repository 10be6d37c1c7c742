"""Where base models come from: one module per kind of source, named as the configuration's `kind`.

A module `bistil_core/models/base_sources/<kind>.py` has `write(source, folder, name, seed) -> Identity`, which makes
`folder` with config.json, model.safetensors and tokenizer files; `name` is the model's key in `base_models`.
"""

import importlib
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Identity:
    """What a result calls a base model.

    Attributes:
        revision: of a source that has versions, else None.
    """

    name: str
    revision: str | None = None


def base_source(kind: str) -> ModuleType:
    """The module that reads sources of one kind; the configuration has checked that there is one."""
    return importlib.import_module(f"{__name__}.{kind}")
