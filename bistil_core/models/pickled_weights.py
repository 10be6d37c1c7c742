"""Weights that were published as pytorch_model.bin alone, as safetensors."""

import pickle
from pathlib import Path

import torch
from safetensors.torch import save_file

from bistil_core.errors import BistilError

PICKLED = "pytorch_model.bin"


def to_safetensors(pickled: Path, output: Path) -> None:
    """Write the tensors of a `pytorch_model.bin` under their names, tied ones once for each name.

    Only tensors are unpickled (`weights_only`): no code in the file is run.

    Raises:
        BistilError: the file holds anything else, or is damaged.
    """
    try:
        tensors = torch.load(pickled, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BistilError(
            f"{pickled}: not read, it holds more than tensors or is damaged ({reason}). Where you trust it, load the "
            "model and save it again with save_pretrained, which writes safetensors, and give that folder"
        ) from error
    if not isinstance(tensors, dict) or not all(isinstance(value, torch.Tensor) for value in tensors.values()):
        raise BistilError(f"{pickled}: no mapping from names to tensors; save the model anew with save_pretrained")
    # Safetensors refuses tensors that share memory.
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, output, {"format": "pt"})
