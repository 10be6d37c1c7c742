"""Rows of unequal length as a data set, and as one batch of tensors."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of what is neither trained nor scored."""


def ragged(rows: Iterable[dict[str, Any]]) -> Dataset:
    """A data set of rows of numbers and of lists of numbers.

    Lists are held as int32 arrays from the start: as Python's own they would take ten times the memory.
    """
    columns: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value if isinstance(value, int) else np.asarray(value, dtype=np.int32))
    return Dataset.from_dict(columns)


def padding_collator(
    tokenizer: PreTrainedTokenizerBase, **fills: int
) -> Callable[[Sequence[dict[str, Any]]], dict[str, Tensor]]:
    """A function from rows to a batch; columns that are neither model inputs nor named in `fills` are left out.

    Args:
        fills: column -> the number that pads it to the longest row of the batch; columns of single numbers are
            not padded.
    """
    known = {"input_ids": tokenizer.pad_token_id, "attention_mask": 0, "token_type_ids": 0, **fills}

    def collate(rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        return {name: _padded([row[name] for row in rows], fill) for name, fill in known.items() if name in rows[0]}

    return collate


def _padded(values: list[Any], fill: int) -> Tensor:
    if isinstance(values[0], int):
        return torch.tensor(values)
    length = max(map(len, values))
    return torch.tensor([[*row, *[fill] * (length - len(row))] for row in values])
