from itertools import islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bistil_core.data.length_grouping import LengthGroupedBatches


@given(
    lengths=st.lists(st.integers(1, 300), min_size=1, max_size=400),
    batch_size=st.integers(1, 40),
    epochs=st.integers(1, 3),
    seed=st.integers(0, 2**31),
)
def test_every_example_comes_once_an_epoch(lengths, batch_size, epochs, seed):
    per_epoch = -(-len(lengths) // batch_size)
    batches = iter(LengthGroupedBatches(np.array(lengths), batch_size, epochs * per_epoch, seed))
    for _ in range(epochs):
        epoch = list(islice(batches, per_epoch))
        assert sorted(index for batch in epoch for index in batch) == list(range(len(lengths)))
        assert max(map(len, epoch)) <= batch_size
    assert next(batches, None) is None


def test_little_padding_and_no_order_of_lengths():
    lengths = np.random.default_rng(0).integers(5, 200, 20_000)
    batches = list(LengthGroupedBatches(lengths, 32, 625, seed=1))
    padded = sum(lengths[batch].max() * len(batch) for batch in batches)
    assert padded < 1.05 * lengths.sum()
    means = np.array([lengths[batch].mean() for batch in batches])
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.15


def test_batches_follow_the_seed_and_stop_in_mid_epoch():
    lengths = np.arange(1, 101)
    once, again, other = (list(LengthGroupedBatches(lengths, 7, 20, seed)) for seed in (1, 1, 2))
    assert once == again != other
    assert len(once) == 20
    assert list(LengthGroupedBatches(lengths, 7, 5, 1)) == once[:5]
