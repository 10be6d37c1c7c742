"""Batches of examples of like length: little padding, and no order of lengths to learn from."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

POOL = 50
"""Batches that are sorted by length together: enough for little padding, few enough to stay random."""


class LengthGroupedBatches(Sampler[list[int]]):
    """`steps` batches of example indices, every example once before any comes again.

    Each epoch is shuffled, sorted by length within pools of 50 batches, cut into batches, and the batches are
    shuffled; its last batch may be smaller.

    Args:
        lengths: tokens of each example, int (examples,).
        steps: batches in all, over as many epochs as that takes.
    """

    def __init__(self, lengths: np.ndarray, batch_size: int, steps: int, seed: int | tuple[int, ...]):
        self.lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self.steps = steps
        self.seed = seed

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[list[int]]:
        generator = np.random.default_rng(self.seed)
        left = self.steps
        while left:
            for batch in self._epoch(generator)[:left]:
                yield batch
                left -= 1

    def _epoch(self, generator: np.random.Generator) -> list[list[int]]:
        order = generator.permutation(len(self.lengths))
        pool = POOL * self.batch_size
        batches = []
        for start in range(0, len(order), pool):
            pooled = order[start : start + pool]
            by_length = pooled[np.argsort(self.lengths[pooled], kind="stable")].tolist()
            batches += [by_length[i : i + self.batch_size] for i in range(0, len(by_length), self.batch_size)]
        generator.shuffle(batches)
        return batches
