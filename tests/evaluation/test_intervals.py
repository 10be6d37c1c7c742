import numpy as np
import pytest

from bistil_core.evaluation.intervals import bootstrap_interval


def accuracy(predictions, labels):
    return float((predictions == labels).mean())


def test_the_interval_of_a_proportion_is_the_binomial_one():
    labels = np.ones(2000)
    predictions = np.where(np.arange(2000) < 1600, 1, 0)
    low, high = bootstrap_interval(accuracy, predictions, labels, 0.95, 2000)
    deviation = (0.8 * 0.2 / 2000) ** 0.5
    assert low == pytest.approx(0.8 - 1.96 * deviation, abs=0.003)
    assert high == pytest.approx(0.8 + 1.96 * deviation, abs=0.003)


def test_the_interval_narrows_with_less_confidence_and_is_repeatable():
    generator = np.random.default_rng(0)
    labels, predictions = generator.integers(2, size=300), generator.integers(2, size=300)
    wide = bootstrap_interval(accuracy, predictions, labels, 0.99, 500)
    narrow = bootstrap_interval(accuracy, predictions, labels, 0.6, 500)
    assert wide[0] < narrow[0] < accuracy(predictions, labels) < narrow[1] < wide[1]
    assert wide == bootstrap_interval(accuracy, predictions, labels, 0.99, 500)
