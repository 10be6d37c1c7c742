import numpy as np
import pytest

from bistil_core.evaluation.intervals import bootstrap_interval


def accuracy(totals):
    return totals[..., 0] / totals[..., 1]


def counts_of(right):
    return np.stack([right, np.ones_like(right)], axis=1)


def test_the_interval_of_a_proportion_is_the_binomial_one():
    low, high = bootstrap_interval(accuracy, counts_of(np.where(np.arange(2000) < 1600, 1, 0)), 0.95, 2000)
    deviation = (0.8 * 0.2 / 2000) ** 0.5
    assert low == pytest.approx(0.8 - 1.96 * deviation, abs=0.003)
    assert high == pytest.approx(0.8 + 1.96 * deviation, abs=0.003)


def test_the_interval_narrows_with_less_confidence_and_is_repeatable():
    counts = counts_of(np.random.default_rng(0).integers(2, size=300))
    wide = bootstrap_interval(accuracy, counts, 0.99, 500)
    narrow = bootstrap_interval(accuracy, counts, 0.6, 500)
    assert wide[0] < narrow[0] < accuracy(counts.sum(axis=0)) < narrow[1] < wide[1]
    assert wide == bootstrap_interval(accuracy, counts, 0.99, 500)
