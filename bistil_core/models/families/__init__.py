"""Where a model family keeps its layers and embeddings: one module per family.

A module names its transformers model types and describes them with one `Family`; `family_of` finds it.
"""

import importlib
import pkgutil
from dataclasses import dataclass

from bistil_core.errors import BistilError


@dataclass(frozen=True)
class Family:
    """What the rest of the code must know of a family; paths are relative to the bare encoder."""

    model_types: tuple[str, ...]
    layers: str
    embeddings: str


def family_of(model_type: str) -> Family:
    """The family of a transformers model type, such as "xlm-roberta".

    Raises:
        BistilError: no module of this package describes that type.
    """
    families = [
        importlib.import_module(f"{__name__}.{module.name}").FAMILY for module in pkgutil.iter_modules(__path__)
    ]
    for family in families:
        if model_type in family.model_types:
            return family
    known = sorted(name for family in families for name in family.model_types)
    raise BistilError(
        f"no model family is known for model type {model_type!r}; known are {', '.join(known)}. "
        "A new family is one module in bistil_core/models/families/"
    )
