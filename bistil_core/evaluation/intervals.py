"""Confidence intervals of any metric by resampling the test examples."""

from collections.abc import Callable

import numpy as np


def bootstrap_interval(
    metric: Callable[[np.ndarray], np.ndarray], counts: np.ndarray, confidence: float, samples: int, seed: int = 0
) -> tuple[float, float]:
    """The percentile bootstrap interval of a metric over examples.

    Args:
        metric: totals (samples, K) -> the metric of each, (samples,).
        counts: what each example adds to the totals, (examples, K).
        confidence: such as 0.95.
        samples: how many times the examples are drawn with replacement.
    """
    generator = np.random.default_rng(seed)
    totals = [
        counts[generator.integers(len(counts), size=len(counts))].sum(axis=0, dtype=np.float64) for _ in range(samples)
    ]
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(metric(np.stack(totals)), [tail, 1.0 - tail])
    return float(low), float(high)
