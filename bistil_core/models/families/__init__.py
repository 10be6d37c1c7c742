"""Where a model family keeps its layers and embeddings: one module per family.

A module names its transformers model types and describes them with one `Family`; `family_of` finds it.
"""

import importlib
import pkgutil
from dataclasses import dataclass

from bistil_core.errors import BistilError


@dataclass(frozen=True)
class Family:
    """What the rest of the code must know of a family; paths are relative to the bare encoder.

    What else differs is found without knowledge of the family: rows per token by what grows with the vocabulary,
    special ids and per-layer values by their names in the configuration, norms by their class.

    Attributes:
        model_types: transformers' names for the architectures of this family.
        layers: the list of layers.
        embeddings: all embeddings that come before the first layer.
        dropout: names in the configuration of the dropout rates within the encoder.
    """

    model_types: tuple[str, ...]
    layers: str
    embeddings: str
    dropout: tuple[str, ...]


def family_of(model_type: str) -> Family:
    """The family of a transformers model type, such as "xlm-roberta".

    Raises:
        BistilError: no module of this package describes that type.
    """
    return importlib.import_module(family_module(model_type)).FAMILY


def family_module(model_type: str) -> str:
    """Name of the module that describes a transformers model type.

    Raises:
        BistilError: no module of this package does.
    """
    modules = {f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)}
    types = {name: module for module in modules for name in importlib.import_module(module).FAMILY.model_types}
    if model_type in types:
        return types[model_type]
    known = sorted(types)
    raise BistilError(
        f"no model family is known for model type {model_type!r}; known are {', '.join(known)}. "
        "A new family is one module in bistil_core/models/families/"
    )
