"""Confidence intervals of any metric by resampling the test examples."""

from collections.abc import Callable

import numpy as np


def bootstrap_interval(
    metric: Callable[[np.ndarray, np.ndarray], float],
    predictions: np.ndarray,
    labels: np.ndarray,
    confidence: float,
    samples: int,
    seed: int = 0,
) -> tuple[float, float]:
    """The percentile bootstrap interval of `metric(predictions, labels)` over examples (first axis).

    Args:
        confidence: such as 0.95.
        samples: how many times the examples are drawn with replacement.
    """
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(samples):
        rows = generator.integers(len(labels), size=len(labels))
        values.append(metric(predictions[rows], labels[rows]))
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail])
    return float(low), float(high)
