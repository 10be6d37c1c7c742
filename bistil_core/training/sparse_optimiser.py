"""AdamW whose state is proportional to the number of selected parameters (LT-SFT's sparse phase)."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.adamw import adamw

from bistil_core.errors import BistilError


class SparseAdamW(Optimizer):
    """AdamW that moves, decays and remembers only the selected entries of its parameters.

    Args:
        params_with_masks: parameter groups as torch takes them; a group with `masks` (one bool tensor for
            each of its `params`, of the same shape) is sparse, one without is ordinary dense AdamW, such as
            the task head. `lr`, `betas`, `eps` and `weight_decay` may differ by group.
        lr: the learning rate.
        betas: decay rates of the two moment estimates.
        eps: added to the denominator.
        weight_decay: decoupled, and never outside a mask.
        max_grad_norm: scale the gradient to at most this norm, taken over selected entries and dense
            parameters together (what lies outside a mask must not count); None: no clipping.

    Each step equals AdamW on gradients and parameters restricted to the masks. For k selected entries of a
    parameter the state is two vectors (k,) in its dtype, beside k indices (4 bytes each below 2^31 entries).
    What lies outside a mask keeps its bits.

    Raises:
        BistilError: masks and parameters of a group do not fit together.
    """

    def __init__(
        self,
        params_with_masks: Iterable[dict[str, Any]],
        lr: float = 5e-5,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        max_grad_norm: float | None = None,
    ):
        self._indices: dict[torch.nn.Parameter, Tensor] = {}
        self._max_grad_norm = max_grad_norm
        # With `fused` among the defaults, a loaded state keeps its step counters on the parameter's device.
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "fused": True}
        super().__init__(params_with_masks, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, sparse if it has `masks`; see the class."""
        group = dict(param_group)
        masks = group.pop("masks", None)
        group["params"] = [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])
        indices = None if masks is None else _selected(group["params"], list(masks))
        group["selection"] = None if indices is None else _digest(indices)
        super().add_param_group(group)
        if indices is not None:
            self._indices.update(zip(self.param_groups[-1]["params"], indices, strict=True))

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One update; returns what `closure` returns, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        gradients = [
            [self._selected_gradient(parameter) for parameter in group["params"]] for group in self.param_groups
        ]
        if self._max_grad_norm is not None:
            present = [gradient for group in gradients for gradient in group if gradient is not None]
            _clip(present, self._max_grad_norm)
        for group, of_group in zip(self.param_groups, gradients, strict=True):
            self._update(group, of_group)
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume from `state_dict()`.

        Raises:
            BistilError: it was saved for another selection of parameters.
        """
        saved = [group.get("selection") for group in state_dict["param_groups"]]
        if saved != [group["selection"] for group in self.param_groups]:
            raise BistilError(
                "the optimiser's saved state belongs to another selection of parameters; resume with the masks "
                "of the run that saved it, or start the sparse phase afresh"
            )
        super().load_state_dict(state_dict)

    def state_bytes(self) -> int:
        """Bytes of the two moment estimates once all parameters have moved."""
        return 2 * sum(
            parameter.element_size()
            * (parameter if self._indices.get(parameter) is None else self._indices[parameter]).numel()
            for group in self.param_groups
            for parameter in group["params"]
        )

    def _selected_gradient(self, parameter: torch.nn.Parameter) -> Tensor | None:
        if parameter.grad is None:
            return None
        indices = self._indices.get(parameter)
        if indices is None:
            return parameter.grad
        return parameter.grad.reshape(-1).index_select(0, indices)

    def _update(self, group: dict[str, Any], gradients: list[Tensor | None]) -> None:
        moving = [
            (parameter, gradient)
            for parameter, gradient in zip(group["params"], gradients, strict=True)
            if gradient is not None and gradient.numel()
        ]
        if not moving:
            return
        values, states = [], []
        for parameter, gradient in moving:
            indices = self._indices.get(parameter)
            values.append(parameter if indices is None else parameter.view(-1).index_select(0, indices))
            state = self.state[parameter]
            if not state:
                state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
                state["exp_avg"] = torch.zeros_like(gradient)
                state["exp_avg_sq"] = torch.zeros_like(gradient)
            states.append(state)
        adamw(
            values,
            [gradient for _, gradient in moving],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )
        for (parameter, _), value in zip(moving, values, strict=True):
            indices = self._indices.get(parameter)
            if indices is not None:
                parameter.view(-1).index_put_((indices,), value)


def _selected(parameters: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
    """Flat indices of the masks' True entries, ascending, on the parameters' devices."""
    if len(parameters) != len(masks):
        raise BistilError(f"a group of {len(parameters)} parameters needs as many masks, not {len(masks)}")
    selected = []
    for place, (parameter, mask) in enumerate(zip(parameters, masks, strict=True)):
        if mask.shape != parameter.shape or mask.dtype != torch.bool:
            raise BistilError(
                f"mask {place} of the group is {mask.dtype} of shape {tuple(mask.shape)}; it must be torch.bool "
                f"of its parameter's shape {tuple(parameter.shape)}"
            )
        indices = mask.reshape(-1).nonzero().view(-1).to(parameter.device)
        selected.append(indices.int() if parameter.numel() < 2**31 else indices)
    return selected


def _digest(indices: list[Tensor]) -> str:
    digest = hashlib.sha256()
    for each in indices:
        digest.update(len(each).to_bytes(8, "little"))
        digest.update(each.cpu().numpy())
    return digest.hexdigest()


def _clip(gradients: list[Tensor], max_norm: float) -> None:
    scale = (max_norm / (torch.nn.utils.get_total_norm(gradients) + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(scale.to(gradient.device))
