"""Sparse fine-tunings as one safetensors file.

Indices are stored as gaps, a byte each: 0..254 is the distance to the next entry, 255 means "255 further, no
entry yet". That is one byte an entry at the densities of the paper, never more than entries + size / 255, and
no integer type can overflow. Values are float32. A single header key holds the rest as JSON, because the
order of several would not be the same from one save to the next.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from bistil_core.errors import BistilError
from bistil_core.files import replacing

HEADER = "bistil_sparse_fine_tuning"
_VERSION = 1
_FURTHER = 255


def pack_indices(indices: Tensor) -> Tensor:
    """Ascending flat indices (k,) int64 as gap bytes (k + skips,) uint8."""
    gaps = np.diff(indices.numpy(), prepend=0)
    skips = gaps // _FURTHER
    places = np.arange(len(gaps)) + np.cumsum(skips)
    codes = np.full(places[-1] + 1 if len(places) else 0, _FURTHER, dtype=np.uint8)
    codes[places] = gaps % _FURTHER
    return torch.from_numpy(codes)


def unpack_indices(codes: Tensor) -> Tensor:
    """What `pack_indices` packed: flat indices (k,) int64."""
    codes = codes.numpy()
    return torch.from_numpy(np.cumsum(codes, dtype=np.int64)[codes != _FURTHER])


def write(
    path: str | Path,
    differences: dict[str, tuple[Tensor, Tensor]],
    shapes: dict[str, tuple[int, ...]],
    replacements: dict[str, Tensor],
    metadata: dict[str, Any],
) -> None:
    """Write the parts of a SparseFineTuning, atomically; the same parts give the same bytes."""
    tensors = {}
    for name, (indices, values) in differences.items():
        tensors[f"gaps.{name}"] = pack_indices(indices.cpu())
        tensors[f"values.{name}"] = values.cpu().contiguous()
    for name, value in replacements.items():
        tensors[f"replacement.{name}"] = value.cpu().contiguous()
    header = {"version": _VERSION, "shapes": shapes, "metadata": metadata}
    with replacing(path) as partial:
        save_file(tensors, partial, {HEADER: json.dumps(header, sort_keys=True, allow_nan=False)})


def read(path: str | Path) -> dict[str, Any]:
    """The parts of a SparseFineTuning (`differences`, `shapes`, `replacements`, `metadata`) from a file.

    Raises:
        BistilError: the file is damaged, no sparse fine-tuning, or of a later version.
    """
    try:
        with safe_open(path, "pt") as file:
            header = (file.metadata() or {}).get(HEADER)
            # A copy, because what is read is mapped to the file, which may change while we live.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise BistilError(
            f"{path}: no readable safetensors file ({error}); it may be cut short: write or download it again"
        ) from None
    if header is None:
        raise BistilError(
            f"{path}: a safetensors file, but no sparse fine-tuning (its header has no {HEADER}); give a file "
            "that SparseFineTuning.save wrote"
        )
    try:
        header = json.loads(header)
        if header["version"] > _VERSION:
            raise BistilError(f"{path}: version {header['version']} of the format; this code reads {_VERSION}")
        differences = {
            name: (unpack_indices(tensors[f"gaps.{name}"]), tensors[f"values.{name}"]) for name in header["shapes"]
        }
    except (KeyError, TypeError, ValueError) as error:
        raise BistilError(f"{path}: damaged ({error}); write or download it again") from None
    replaced = {
        name.removeprefix("replacement."): value for name, value in tensors.items() if name.startswith("replacement.")
    }
    return {
        "differences": differences,
        "shapes": {name: tuple(shape) for name, shape in header["shapes"].items()},
        "replacements": replaced,
        "metadata": header["metadata"],
    }
