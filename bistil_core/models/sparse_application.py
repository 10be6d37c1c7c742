"""Putting sparse fine-tunings into a model and taking them out again without a trace."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from bistil_core.errors import BistilError

if TYPE_CHECKING:
    from bistil_core.models.sparse import SparseFineTuning

_SAMPLE = 1024


@dataclass
class _Application:
    """A fine-tuning in a model, with the values it wrote over; indices None stands for a whole tensor."""

    fine_tuning: "SparseFineTuning"
    overwritten: list[tuple[nn.Parameter, Tensor | None, Tensor]]


_APPLIED: WeakKeyDictionary[nn.Module, list[_Application]] = WeakKeyDictionary()


def fingerprint(value: Tensor) -> str:
    """A short hash of a tensor's shape and of up to 1,024 of its values, evenly spread.

    Which values does not depend on the fine-tuning, so two of them can be seen to share a base.
    """
    flat = value.detach().reshape(-1)
    sample = flat[:: max(1, len(flat) // _SAMPLE)].float().cpu().numpy()
    return hashlib.sha256(f"{tuple(value.shape)}".encode() + sample.tobytes()).hexdigest()[:16]


def parameters_of(model: nn.Module, fine_tuning: "SparseFineTuning") -> dict[str, nn.Parameter]:
    """The model's parameters by the fine-tuning's names for them.

    A name may count from the whole model or from its encoder: `base_model_prefix` is added or left out.

    Raises:
        BistilError: the model lacks one of them or has it in another shape.
    """
    available = dict(model.named_parameters(remove_duplicate=False))
    prefix = getattr(model, "base_model_prefix", "") + "."
    shapes = {name: tuple(value.shape) for name, value in fine_tuning.replacements.items()}
    found, missing = {}, []
    for name, shape in (fine_tuning.shapes | shapes).items():
        candidates = (name, prefix + name, name.removeprefix(prefix))
        parameter = next((available[candidate] for candidate in candidates if candidate in available), None)
        if parameter is None:
            missing.append(name)
        elif tuple(parameter.shape) != shape:
            raise BistilError(
                f"{fine_tuning.source}: {name} has shape {shape}, in the model {tuple(parameter.shape)}; give the "
                "base it was learnt on (cut_to_vocabulary fits embeddings to a trimmed vocabulary)"
            )
        else:
            found[name] = parameter
    if missing:
        raise BistilError(
            f"{fine_tuning.source}: the model ({type(model).__name__}) lacks {len(missing)} of its "
            f"{len(missing) + len(found)} parameters, the first is {missing[0]}; give the base it was learnt on, "
            "or leave a task head aside with without_replacements()"
        )
    return found


@torch.no_grad()
def apply(model: nn.Module, fine_tuning: "SparseFineTuning", check_base: bool) -> None:
    """See `SparseFineTuning.apply`."""
    found = parameters_of(model, fine_tuning)
    applied = _APPLIED.get(model, [])
    if check_base:
        _check_fingerprints(fine_tuning, found, applied)
    _APPLIED[model] = [*applied, _Application(fine_tuning, _put_in(fine_tuning, found))]


@torch.no_grad()
def revert(model: nn.Module, fine_tuning: "SparseFineTuning") -> None:
    """See `SparseFineTuning.revert`."""
    applied = _APPLIED.get(model, [])
    places = [place for place, application in enumerate(applied) if application.fine_tuning is fine_tuning]
    if not places:
        raise BistilError(f"{fine_tuning.source}: cannot be reverted, it has not been applied to this model")
    later = applied[places[-1] + 1 :]
    for application in reversed(applied[places[-1] :]):
        for parameter, indices, values in application.overwritten:
            _write(parameter, indices, values)
    _APPLIED[model] = applied[: places[-1]]
    for application in later:
        apply(model, application.fine_tuning, check_base=False)


def _put_in(fine_tuning: "SparseFineTuning", found: dict[str, nn.Parameter]) -> list:
    overwritten = []
    for name, (indices, values) in fine_tuning.differences.items():
        parameter = found[name]
        indices = indices.to(parameter.device)
        before = parameter.data.view(-1).index_select(0, indices)
        after = before.to(values.dtype) + values.to(parameter.device)
        _write(parameter, indices, after.to(parameter.dtype))
        overwritten.append((parameter, indices, before))
    for name, value in fine_tuning.replacements.items():
        overwritten.append((found[name], None, found[name].data.clone()))
        _write(found[name], None, value)
    return overwritten


def _write(parameter: nn.Parameter, indices: Tensor | None, values: Tensor) -> None:
    if indices is None:
        parameter.data.copy_(values)
    else:
        flat = parameter.data.view(-1)
        flat.index_copy_(0, indices.to(flat.device), values.to(flat.device))


def _check_fingerprints(
    fine_tuning: "SparseFineTuning", found: dict[str, nn.Parameter], applied: list[_Application]
) -> None:
    expected = fine_tuning.metadata.get("base_fingerprint", {})
    for name in fine_tuning.differences.keys() & expected.keys():
        if fingerprint(_base_value(found[name], applied)) != expected[name]:
            base = fine_tuning.metadata.get("base_model", "another base")
            raise BistilError(
                f"{fine_tuning.source}: belongs to {base}, whose {name} has other values than this model's; give "
                "the very model it was learnt on, before any training"
            )


def _base_value(parameter: nn.Parameter, applied: list[_Application]) -> Tensor:
    """The parameter without the fine-tunings that are in the model now."""
    value = parameter.data
    for application in reversed(applied):
        for other, indices, before in application.overwritten:
            if other is parameter and indices is None:
                value = before
            elif other is parameter:
                value = value.reshape(-1).index_copy(0, indices, before).view(value.shape)
    return value


class SparseSwitch:
    """Changes between the sparse fine-tunings of one frozen model in no time, by swapping tensors.

    Args:
        model: the base with nothing applied, such as a teacher; it must stay frozen and on its device.
        fine_tunings: by name, such as the language; compose several beforehand with `+`.

    Holds one copy of every touched tensor for each fine-tuning. The base keeps its own tensors, bit by bit.

    Raises:
        BistilError: a fine-tuning does not belong to the model.
    """

    def __init__(self, model: nn.Module, fine_tunings: Mapping[str, "SparseFineTuning"]):
        touched = {name: _touched(model, each) for name, each in fine_tunings.items()}
        base = {parameter: parameter.data for parameters in touched.values() for parameter in parameters}
        self._tensors: dict[str | None, dict[nn.Parameter, Tensor]] = {None: base}
        for name, fine_tuning in fine_tunings.items():
            fine_tuning.apply(model)
            self._tensors[name] = base | {parameter: parameter.data.clone() for parameter in touched[name]}
            fine_tuning.revert(model)

    def activate(self, name: str | None) -> None:
        """Put the model at base + the named fine-tuning, or at its base for None.

        Raises:
            BistilError: there is no fine-tuning of this name.
        """
        if name not in self._tensors:
            known = ", ".join(str(each) for each in self._tensors if each is not None)
            raise BistilError(f"no sparse fine-tuning is called {name}; choose one of {known} or None")
        for parameter, value in self._tensors[name].items():
            parameter.data = value


def _touched(model: nn.Module, fine_tuning: "SparseFineTuning") -> Iterable[nn.Parameter]:
    found = parameters_of(model, fine_tuning)
    moved = {name for name, (indices, _) in fine_tuning.differences.items() if len(indices)}
    return [found[name] for name in moved | fine_tuning.replacements.keys()]
