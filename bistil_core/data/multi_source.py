"""Labelled rows of several languages, one language per batch (Ansell et al. 2022, multi-source training)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from bistil_core.data.length_grouping import LengthGroupedBatches

Draw = tuple[str, int]
"""A language and a row of its data."""


class RowsByLanguage(Dataset):
    """The rows of several languages; an item is a row, with its language's place among them as `language`."""

    def __init__(self, rows: Mapping[str, Sequence[dict[str, Any]]]):
        self.rows = rows
        self.places = {language: place for place, language in enumerate(rows)}

    def __len__(self) -> int:
        return sum(map(len, self.rows.values()))

    def __getitem__(self, draw: Draw) -> dict[str, Any]:
        language, row = draw
        return {**self.rows[language][row], "language": self.places[language]}


class MultiSourceBatches(Sampler[list[Draw]]):
    """`steps` batches: a language, each equally likely, then its next batch of rows of like length.

    Every row of a language comes once before any of it comes again.

    Args:
        lengths: by language the tokens of each row, int (rows,).
    """

    def __init__(self, lengths: Mapping[str, np.ndarray], batch_size: int, steps: int, seed: int):
        self.lengths = lengths
        self.batch_size = batch_size
        self.steps = steps
        self.seed = seed

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[list[Draw]]:
        languages = list(self.lengths)
        batches = {
            language: iter(LengthGroupedBatches(self.lengths[language], self.batch_size, self.steps, (self.seed, 1, n)))
            for n, language in enumerate(languages)
        }
        for place in np.random.default_rng((self.seed, 0)).integers(len(languages), size=self.steps):
            language = languages[place]
            yield [(language, row) for row in next(batches[language])]


def collated_by_language(
    collate: Callable[[list[dict[str, Any]]], dict[str, torch.Tensor]],
) -> Callable[[list[dict[str, Any]]], dict[str, torch.Tensor]]:
    """Rows of one language to a batch of padded tensors, with `language` (1,) int64, its place."""

    def collated(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        place = rows[0]["language"]
        batch = collate([{name: value for name, value in row.items() if name != "language"} for row in rows])
        return {**batch, "language": torch.tensor([place])}

    return collated
