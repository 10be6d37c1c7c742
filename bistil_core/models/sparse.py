"""Sparse fine-tunings: a difference phi to a base's parameters theta, and the full values of a task head.

Ansell et al. 2022 (LT-SFT): two of them compose by addition, theta + phi_language + phi_task.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download
from torch import Tensor, nn

from bistil_core.errors import BistilError
from bistil_core.models import sparse_application, sparse_arithmetic, sparse_composable, sparse_files

HEAD_CONFIGURATION = "head_configuration"
"""In the metadata: configuration values of the model that the head among the replacements belongs to."""


@dataclass(eq=False)
class SparseFineTuning:
    """What a fine-tuning changed, entry by entry.

    Attributes:
        differences: by parameter, the flat (row-major) indices (k,) int64, ascending, and theta_1 - theta_0 at
            them (k,) float32. A parameter that could have moved but did not is there with k = 0.
        shapes: by parameter of `differences`, its shape.
        replacements: full tensors by parameter (the task head), which take the place of the model's.
        metadata: JSON values. Read here: `base_model`, `revision` and `base_fingerprint` (by parameter); written
            here: `density`. Others (`language`, `task`) are kept as they are.
        source: what error messages call it: the file it was loaded from.

    Raises:
        BistilError: indices, values and shapes contradict each other.
    """

    differences: dict[str, tuple[Tensor, Tensor]]
    shapes: dict[str, tuple[int, ...]]
    replacements: dict[str, Tensor] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    source: str = "sparse fine-tuning"

    def __post_init__(self) -> None:
        for name, (indices, values) in self.differences.items():
            size = torch.Size(self.shapes[name]).numel()
            if indices.shape != values.shape or indices.ndim != 1:
                raise BistilError(f"{self.source}: {name} has {indices.numel()} indices for {values.numel()} values")
            if len(indices) and not (indices[0] >= 0 and indices[-1] < size and bool((indices.diff() > 0).all())):
                raise BistilError(f"{self.source}: {name} needs ascending indices below its size {size}")
        self.metadata = {**self.metadata, "density": self.density}

    @classmethod
    def difference(
        cls,
        original: Mapping[str, Tensor],
        tuned: Mapping[str, Tensor],
        masks: Mapping[str, Tensor],
        replaced: Mapping[str, Tensor] | None = None,
        metadata: Mapping[str, Any] | None = None,
        base: Mapping[str, Tensor] | None = None,
    ) -> "SparseFineTuning":
        """Phi = theta_1 - theta_0 under the masks; entries that did not move are left out.

        Args:
            original: theta_0 by name.
            tuned: theta_1 by name, the same shapes.
            masks: bool by name, the parameters that belong to the sparsified group.
            replaced: full values by name of what is not sparse (the task head).
            metadata: such as {"base_model": ..., "revision": ..., "language": "sw"}.
            base: the values of the model that this will be applied to, where `original` is not that model: a
                task's fine-tuning learnt on top of a language's gives the plain base here.

        Raises:
            BistilError: a parameter is missing, shapes differ, or a difference is not finite.
        """
        differences, shapes = {}, {}
        for name in sorted(masks):
            if name not in original or name not in tuned:
                raise BistilError(f"{name}: has a mask, but no original or no tuned values")
            before, after = original[name].detach(), tuned[name].detach()
            if not before.shape == after.shape == masks[name].shape:
                raise BistilError(
                    f"{name}: original {tuple(before.shape)}, tuned {tuple(after.shape)} and mask "
                    f"{tuple(masks[name].shape)} must have one shape"
                )
            indices = masks[name].reshape(-1).nonzero().view(-1).cpu()
            values = after.reshape(-1).cpu()[indices].float() - before.reshape(-1).cpu()[indices].float()
            if not values.isfinite().all():
                raise BistilError(f"{name}: the difference between tuned and original values is not finite")
            differences[name] = (indices[values != 0], values[values != 0])
            shapes[name] = tuple(before.shape)
        fingerprints = {name: sparse_application.fingerprint((base or original)[name]) for name in differences}
        return cls(
            differences,
            shapes,
            {name: value.detach().cpu().clone() for name, value in sorted((replaced or {}).items())},
            {**(metadata or {}), "base_fingerprint": fingerprints},
        )

    @classmethod
    def load(cls, path_or_hub_id: str | Path, revision: str | None = None) -> "SparseFineTuning":
        """Read a file of `save`, a composable-sft `pytorch_diff.bin` (file or folder), or one from the hub.

        Args:
            path_or_hub_id: an existing path, or OWNER/NAME of a model on the Hugging Face hub.
            revision: the hub's branch, tag or commit.

        Raises:
            BistilError: nothing is there, or what is there is damaged, holds code or is of another format.
        """
        path, metadata = Path(path_or_hub_id), {}
        if path.is_dir():
            path = path / sparse_composable.FILE_NAME
        elif not path.exists() and re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", str(path_or_hub_id)):
            path = _download(str(path_or_hub_id), revision)
            # The hub's cache keeps each file below a folder named by its commit.
            metadata = {"hub_id": str(path_or_hub_id), "hub_revision": path.parent.name}
        if not path.is_file():
            raise BistilError(
                f"{path_or_hub_id}: there is no such sparse fine-tuning; give a file of SparseFineTuning.save, a "
                f"{sparse_composable.FILE_NAME} or its folder, or OWNER/NAME on the hub"
            )
        with open(path, "rb") as file:
            is_safetensors = file.read(9)[8:] == b"{"
        parts = (sparse_files if is_safetensors else sparse_composable).read(path)
        parts["metadata"] = {**parts["metadata"], **metadata}
        return cls(**parts, source=str(path_or_hub_id))

    def save(self, path: str | Path) -> None:
        """Write one safetensors file (see `sparse_files`), atomically; the same content gives the same bytes."""
        sparse_files.write(path, self.differences, self.shapes, self.replacements, self.metadata)

    def save_composable(self, path: str | Path) -> None:
        """Write a composable-sft `pytorch_diff.bin` to a .bin path or into a folder; it has no metadata."""
        sparse_composable.write(path, self.differences, self.shapes, self.replacements)

    def apply(self, model: nn.Module, check_base: bool = True) -> None:
        """Write theta + phi and the replacements into the model, keeping what was there for `revert`.

        Args:
            model: the base, with or without other fine-tunings applied, in any head class over the encoder.
            check_base: compare the base with the fingerprint in `metadata`; False where theta itself is being
                trained between applying and reverting.

        Raises:
            BistilError: the model lacks a parameter, has another shape, or is another base. It is unchanged then.
        """
        sparse_application.apply(model, self, check_base)

    def revert(self, model: nn.Module) -> None:
        """Write back, bit by bit, what `apply` wrote over; others applied later stay applied.

        Raises:
            BistilError: it is not applied to this model.
        """
        sparse_application.revert(model, self)

    def without_replacements(self) -> "SparseFineTuning":
        """The differences alone: a language's fine-tuning without its language-modelling head."""
        return replace(self, replacements={})

    def __add__(self, other: "SparseFineTuning") -> "SparseFineTuning":
        """phi_a + phi_b: differences add, of two replacements of one tensor `other`'s holds.

        Raises:
            BistilError: they belong to different bases.
        """
        return sparse_arithmetic.added(self, other)

    def cut_to_vocabulary(self, kept_ids: Iterable[int], embedding_names: Iterable[str]) -> "SparseFineTuning":
        """The same fine-tuning for a base whose embeddings were cut to some of their rows.

        Args:
            kept_ids: the old ids in the order of the new ones.
            embedding_names: the tensors with a row per token, as the model or its encoder calls them; those that
                the fine-tuning does not touch are passed over.

        Raises:
            BistilError: an id is repeated or has no row.
        """
        return sparse_arithmetic.cut_to_vocabulary(self, kept_ids, embedding_names)

    def widen_to_vocabulary(
        self, kept_ids: Iterable[int], embedding_names: Iterable[str], rows: int
    ) -> "SparseFineTuning":
        """The inverse: the same fine-tuning for the base whose embeddings had been cut to some of their rows.

        Args:
            kept_ids: ascending, the old ids in the order of the new ones.
            embedding_names: the tensors with a row per token; replaced ones are left as they are.
            rows: that they have in the base.

        Raises:
            BistilError: an id is repeated or has no row.
        """
        return sparse_arithmetic.widen_to_vocabulary(self, kept_ids, embedding_names, rows)

    def by_layer(self) -> dict[str, dict[str, float]]:
        """`tuned_parameters`, `parameters` and `density` of every layer and of the embeddings."""
        return sparse_arithmetic.by_layer(self)

    @property
    def tuned_parameters(self) -> int:
        """Entries that differ from the base, without the replaced tensors."""
        return sum(len(indices) for indices, _ in self.differences.values())

    @property
    def density(self) -> float:
        """`tuned_parameters` / size of the sparsified group."""
        size = sum(torch.Size(shape).numel() for shape in self.shapes.values())
        return self.tuned_parameters / size if size else 0.0


def _download(hub_id: str, revision: str | None) -> Path:
    try:
        return Path(hf_hub_download(hub_id, sparse_composable.FILE_NAME, revision=revision))
    except (OSError, ValueError) as error:
        raise BistilError(
            f"{hub_id}: neither a file here nor to be had from the hub ({type(error).__name__}: "
            f"{str(error).strip().splitlines()[0]}); check the name and the connection"
        ) from None
