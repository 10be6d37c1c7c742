"""Sparse fine-tunings over a model that is itself being trained, one at a time, without a trace in it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from bistil_core.models.sparse import SparseFineTuning
from bistil_core.models.sparse_application import parameters_of


class SparseOverlay:
    """theta + phi for a forward and backward pass, and theta's own tensors again for the optimiser.

    The tensors that phi touches are set aside and copies of them take their place, so that theta is never written to:
    nothing can drift, whenever it is broken off. Holds one copy of every tensor that any fine-tuning touches.

    Args:
        model: theta, with nothing applied.
        fine_tunings: by name, such as the language; their replacements are left aside.

    Raises:
        BistilError: a fine-tuning does not belong to the model.
    """

    def __init__(self, model: nn.Module, fine_tunings: Mapping[str, SparseFineTuning]):
        self._entries: dict[str, list[tuple[nn.Parameter, Tensor, Tensor]]] = {}
        for name, fine_tuning in fine_tunings.items():
            differences = fine_tuning.without_replacements()
            # The base is looked at once, here: later it is being trained.
            differences.apply(model)
            differences.revert(model)
            found = parameters_of(model, differences)
            self._entries[name] = [
                (found[parameter], indices, values)
                for parameter, (indices, values) in differences.differences.items()
                if len(indices)
            ]
        self._aside: dict[nn.Parameter, Tensor] = {}
        self._copies: dict[nn.Parameter, Tensor] = {}

    @contextmanager
    def over(self, name: str) -> Iterator[None]:
        """The model at theta + phi for the length of the block; at theta where there is no fine-tuning of the name."""
        entries = self._entries.get(name, [])
        try:
            copies = [self._with_difference(*each) for each in self._on_device(entries)]
            # Complete before the first is exchanged, for `lift`.
            self._aside = {parameter: parameter.data for parameter, _, _ in entries}
            for (parameter, _, _), copy in zip(entries, copies, strict=True):
                parameter.data = copy
            yield
        finally:
            self.lift()

    def lift(self) -> None:
        """Give theta its own tensors back; where it has them nothing happens."""
        for parameter, own in self._aside.items():
            parameter.data = own
        self._aside = {}

    def _on_device(self, entries: list) -> list[tuple[nn.Parameter, Tensor, Tensor]]:
        """The entries of a fine-tuning where the model is; the model may have been moved since it was given."""
        if entries and entries[0][1].device != entries[0][0].device:
            entries[:] = [(each, indices.to(each.device), values.to(each.device)) for each, indices, values in entries]
        return entries

    @torch.no_grad()
    def _with_difference(self, parameter: nn.Parameter, indices: Tensor, values: Tensor) -> Tensor:
        copy = self._copies.get(parameter)
        if copy is None or copy.device != parameter.device:
            copy = self._copies[parameter] = torch.empty_like(parameter.data)
        copy.copy_(parameter.data)
        flat = copy.view(-1)
        after = flat.index_select(0, indices).to(values.dtype) + values
        flat.index_copy_(0, indices, after.to(copy.dtype))
        return copy
