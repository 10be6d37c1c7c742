"""Batches of one language each, drawn source or target with probability 1/2 (BiStil section 3.2)."""

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from bistil_core.data.blocks import MaskingIds, mask_with_labels

Draw = tuple[str, int, int]
"""A language, the row of a block of that language, and the number that seeds its mask."""


class MaskedBlocks(Dataset):
    """Blocks of several languages, masked anew for every draw number and alike for the same one.

    An item is {"input_ids": int64 (block_length,), "attention_mask": ones, "labels": the ids where a token was chosen
    for masking, else -100, "language": its place in `languages`}.
    """

    def __init__(
        self,
        blocks: dict[str, np.ndarray],
        vocabulary: MaskingIds,
        mask_probability: float,
        seed: int,
    ):
        self.blocks = blocks
        self.languages = list(blocks)
        self.vocabulary = vocabulary
        self.mask_probability = mask_probability
        self.seed = seed

    def __len__(self) -> int:
        return sum(map(len, self.blocks.values()))

    def __getitem__(self, draw: Draw) -> dict[str, torch.Tensor]:
        language, row, number = draw
        ids = self.blocks[language][row]
        masked, labels = mask_with_labels(ids, self.vocabulary, self.mask_probability, (self.seed, number))
        input_ids = torch.from_numpy(masked.astype(np.int64))
        return {
            "input_ids": input_ids,
            "attention_mask": torch.ones_like(input_ids),
            "labels": torch.from_numpy(labels.astype(np.int64)),
            "language": torch.tensor(self.languages.index(language)),
        }


class BilingualBatches(Sampler[list[Draw]]):
    """`steps` batches: a language by a fair coin, then its next blocks in a shuffled order without repeats.

    A language's blocks are shuffled anew each time they have all been drawn.
    """

    def __init__(self, sizes: dict[str, int], batch_size: int, steps: int, seed: int):
        self.sizes = sizes
        self.batch_size = batch_size
        self.steps = steps
        self.seed = seed

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[list[Draw]]:
        coin = np.random.default_rng((self.seed, 0))
        rows = {
            language: _shuffled_forever(size, (self.seed, 1, index))
            for index, (language, size) in enumerate(self.sizes.items())
        }
        languages = list(self.sizes)
        for step in range(self.steps):
            language = languages[coin.integers(len(languages))]
            first = step * self.batch_size
            yield [(language, next(rows[language]), first + offset) for offset in range(self.batch_size)]


class ValidationBatches(Sampler[list[Draw]]):
    """Every block once, in order, one language per batch, masked the same way every time."""

    def __init__(self, sizes: dict[str, int], batch_size: int):
        self.batches = [
            [(language, row, row) for row in range(start, min(start + batch_size, size))]
            for language, size in sizes.items()
            for start in range(0, size, batch_size)
        ]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[Draw]]:
        return iter(self.batches)


def _shuffled_forever(size: int, seed: tuple[int, ...]) -> Iterator[int]:
    generator = np.random.default_rng(seed)
    while True:
        yield from generator.permutation(size).tolist()
