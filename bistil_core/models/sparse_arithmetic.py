"""Adding sparse fine-tunings, cutting them to a vocabulary, and counting them layer by layer."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from bistil_core.errors import BistilError

if TYPE_CHECKING:
    from bistil_core.models.sparse import SparseFineTuning

_LAYER = re.compile(r".*?(?:\blayers?\.\d+|\bembeddings)(?=\.)")


def added(first: "SparseFineTuning", second: "SparseFineTuning") -> "SparseFineTuning":
    """See `SparseFineTuning.__add__`."""
    source = f"{first.source} + {second.source}"
    for name in first.shapes.keys() & second.shapes.keys():
        if first.shapes[name] != second.shapes[name]:
            raise BistilError(
                f"{source}: {name} has shape {first.shapes[name]} in one and {second.shapes[name]} in the other; "
                "only fine-tunings of one base can be added"
            )
    for one, other in ((first, second), (second, first)):
        if both := sorted(one.shapes.keys() & other.replacements.keys()):
            raise BistilError(
                f"{source}: {both[0]} is a difference in one and replaced in the other; use "
                "without_replacements() on the latter"
            )
    differences = dict(first.differences)
    for name, difference in second.differences.items():
        differences[name] = _sum(differences[name], difference) if name in differences else difference
    return replace(
        first,
        differences=dict(sorted(differences.items())),
        shapes=first.shapes | second.shapes,
        replacements=first.replacements | second.replacements,
        metadata=_joined(first.metadata, second.metadata, source),
        source=source,
    )


def _sum(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    indices, places = torch.unique(torch.cat((first[0], second[0])), return_inverse=True)
    values = torch.zeros(len(indices), dtype=torch.float32)
    return indices, values.index_add_(0, places, torch.cat((first[1], second[1])))


def _joined(first: Mapping[str, Any], second: Mapping[str, Any], source: str) -> dict[str, Any]:
    joined = {**first, **second}
    for key in first.keys() & second.keys() - {"density"}:
        if key == "base_fingerprint":
            for name in first[key].keys() & second[key].keys():
                if first[key][name] != second[key][name]:
                    raise BistilError(f"{source}: learnt on different bases ({name} differs); they cannot be added")
            joined[key] = {**first[key], **second[key]}
        elif first[key] != second[key] and key in ("base_model", "revision"):
            raise BistilError(
                f"{source}: {key} is {first[key]} in one and {second[key]} in the other; only fine-tunings of one "
                "base can be added"
            )
        elif first[key] != second[key]:
            joined[key] = f"{first[key]} + {second[key]}"
    return joined


def cut_to_vocabulary(
    fine_tuning: "SparseFineTuning", kept_ids: Iterable[int], embedding_names: Iterable[str]
) -> "SparseFineTuning":
    """See `SparseFineTuning.cut_to_vocabulary`."""
    kept = torch.as_tensor(list(kept_ids), dtype=torch.int64)
    endings = tuple("." + name for name in embedding_names)
    differences, shapes = dict(fine_tuning.differences), dict(fine_tuning.shapes)
    replacements = dict(fine_tuning.replacements)
    fingerprints = dict(fine_tuning.metadata.get("base_fingerprint", {}))
    for name, shape in fine_tuning.shapes.items():
        if f".{name}".endswith(endings):
            new_row = _new_rows(kept, shape[0], name)
            differences[name] = _cut(*differences[name], torch.Size(shape[1:]).numel(), new_row)
            shapes[name] = (len(kept), *shape[1:])
            # The base's rows are not at hand here, so the cut tensor cannot be told from another any more.
            fingerprints.pop(name, None)
    for name, value in fine_tuning.replacements.items():
        if f".{name}".endswith(endings):
            _new_rows(kept, len(value), name)
            replacements[name] = value[kept]
    metadata = fine_tuning.metadata
    if "base_fingerprint" in metadata:
        metadata = {**metadata, "base_fingerprint": fingerprints}
    return replace(fine_tuning, differences=differences, shapes=shapes, replacements=replacements, metadata=metadata)


def widen_to_vocabulary(
    fine_tuning: "SparseFineTuning", kept_ids: Iterable[int], embedding_names: Iterable[str], rows: int
) -> "SparseFineTuning":
    """See `SparseFineTuning.widen_to_vocabulary`."""
    kept = torch.as_tensor(list(kept_ids), dtype=torch.int64)
    endings = tuple("." + name for name in embedding_names)
    differences, shapes = dict(fine_tuning.differences), dict(fine_tuning.shapes)
    for name, shape in fine_tuning.shapes.items():
        if f".{name}".endswith(endings):
            _new_rows(kept, rows, name)
            indices, values = differences[name]
            width = torch.Size(shape[1:]).numel()
            differences[name] = (kept[indices // width] * width + indices % width, values)
            shapes[name] = (rows, *shape[1:])
    return replace(fine_tuning, differences=differences, shapes=shapes)


def _new_rows(kept: Tensor, rows: int, name: str) -> Tensor:
    """(rows,) int64: where each old row goes, -1 for those that go away."""
    if len(kept) and not 0 <= int(kept.min()) <= int(kept.max()) < rows:
        raise BistilError(f"{name}: kept ids go from {kept.min()} to {kept.max()}, the embeddings have {rows} rows")
    new_row = torch.full((rows,), -1, dtype=torch.int64)
    new_row[kept] = torch.arange(len(kept))
    if int((new_row >= 0).sum()) != len(kept):
        raise BistilError(f"{name}: the kept ids name a token more than once")
    return new_row


def _cut(indices: Tensor, values: Tensor, width: int, new_row: Tensor) -> tuple[Tensor, Tensor]:
    rows = new_row[indices // width]
    stays = rows >= 0
    moved, order = (rows * width + indices % width)[stays].sort()
    return moved, values[stays][order]


def by_layer(fine_tuning: "SparseFineTuning") -> dict[str, dict[str, float]]:
    """See `SparseFineTuning.by_layer`."""
    layers: dict[str, dict[str, float]] = {}
    for name, shape in fine_tuning.shapes.items():
        found = _LAYER.match(name)
        layer = layers.setdefault(
            found[0] if found else name.rpartition(".")[0], {"tuned_parameters": 0, "parameters": 0}
        )
        layer["tuned_parameters"] += len(fine_tuning.differences[name][0])
        layer["parameters"] += torch.Size(shape).numel()
    for layer in layers.values():
        layer["density"] = layer["tuned_parameters"] / max(1, layer["parameters"])
    return layers
