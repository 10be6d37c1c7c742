"""The `pytorch_diff.bin` of the composable-sft package, in which the published sparse fine-tunings come.

A pickled dictionary: `diffs` maps a name to {`size`, `index_steps`, `values`}, where the steps are the first
COLUMN-major flat index and the distances to the following ones; `abs` maps a name to a full tensor.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bistil_core.errors import BistilError
from bistil_core.files import replacing

FILE_NAME = "pytorch_diff.bin"


class _DtypeOfPickle:
    """What stands in for `numpy.dtype` while unpickling: it only remembers which integer type was meant."""

    def __init__(self, code: str, align: bool = False, copy: bool = False):
        self.signed = {"i": True, "u": False}[code[0]]
        self.byte_order = "little"

    def __setstate__(self, state: tuple) -> None:
        self.byte_order = "big" if state[1] == ">" else "little"


def _integer_of_pickle(dtype: _DtypeOfPickle, raw: bytes) -> int:
    return int.from_bytes(raw, dtype.byte_order, signed=dtype.signed)


# The first index of a tensor is pickled as a numpy integer. These stand-ins admit that and nothing else: numpy's own
# reconstruction, fed by a stranger, would be one more thing to trust.
_ADMITTED = [
    (_DtypeOfPickle, "numpy.dtype"),
    (_integer_of_pickle, "numpy.core.multiarray.scalar"),
    (_integer_of_pickle, "numpy._core.multiarray.scalar"),
]


def read(path: str | Path) -> dict[str, Any]:
    """The parts of a SparseFineTuning (`differences`, `shapes`, `replacements`, `metadata`) from such a file.

    Only tensors, containers, numbers and text are unpickled.

    Raises:
        BistilError: the file is damaged, holds anything else, or is not of this format.
    """
    try:
        with torch.serialization.safe_globals(_ADMITTED):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # A hostile or cut file may raise anything at all.
        reason = str(error).strip().splitlines()
        raise BistilError(
            f"{path}: neither safetensors nor a {FILE_NAME} of tensors alone; it is cut short, of another format, "
            f"or holds code, which is never run ({type(error).__name__}: {reason[-1] if reason else ''})"
        ) from None
    if not isinstance(content, dict) or not isinstance(content.get("diffs"), dict):
        raise BistilError(f"{path}: no sparse fine-tuning: a dictionary with the key `diffs` was expected")
    if content.get("block_sparses"):
        raise BistilError(f"{path}: block-sparse differences cannot be read; convert the file to plain `diffs`")
    differences, shapes = {}, {}
    for name, encoded in content["diffs"].items():
        try:
            shapes[name] = tuple(int(length) for length in encoded["size"])
            differences[name] = _row_major(encoded["index_steps"], encoded["values"], shapes[name])
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise BistilError(f"{path}: the difference of {name} is damaged ({error})") from None
    full = content.get("abs") or {}
    if not isinstance(full, dict) or not all(isinstance(value, Tensor) for value in full.values()):
        raise BistilError(f"{path}: `abs` must hold full tensors by name")
    return {"differences": differences, "shapes": shapes, "replacements": full, "metadata": {}}


def _row_major(steps: list[int], values: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    by_column = np.cumsum(np.asarray(steps, dtype=np.int64))
    if by_column.shape != tuple(values.shape):
        raise ValueError(f"{len(by_column)} indices for {values.numel()} values")
    by_row = np.ravel_multi_index(np.unravel_index(by_column, shape or (1,), order="F"), shape or (1,))
    order = np.argsort(by_row, kind="stable")
    return torch.from_numpy(by_row[order]), values.float()[torch.from_numpy(order)]


def write(
    path: str | Path,
    differences: dict[str, tuple[Tensor, Tensor]],
    shapes: dict[str, tuple[int, ...]],
    replacements: dict[str, Tensor],
) -> None:
    """Write the parts of a SparseFineTuning in this format, atomically; a path without .bin is a folder."""
    path = Path(path)
    encoded = {}
    for name, (indices, values) in differences.items():
        shape = shapes[name] or (1,)
        coordinates = np.unravel_index(indices.cpu().numpy(), shape)
        by_column = np.ravel_multi_index(coordinates, shape, order="F")
        order = np.argsort(by_column, kind="stable")
        encoded[name] = {
            "size": torch.Size(shapes[name]),
            "index_steps": np.diff(by_column[order], prepend=0).tolist(),
            "values": values.cpu()[torch.from_numpy(order)],
        }
    full = {name: value.cpu().clone() for name, value in replacements.items()}
    # Through a buffer, because torch.save writes the file's own name into the file.
    buffer = io.BytesIO()
    torch.save({"diffs": encoded, "abs": full, "block_sparses": {}}, buffer)
    with replacing(path if path.suffix == ".bin" else path / FILE_NAME) as partial:
        partial.write_bytes(buffer.getbuffer())
