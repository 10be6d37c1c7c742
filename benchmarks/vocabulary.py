"""Counting token ids against a plain Python loop: python benchmarks/vocabulary.py [millions of tokens].

Two things are timed: the rows as a tokenizer gives them, lists of Python integers, where turning them into an
array takes most of the time; and `numpy.bincount` on that array alone.
"""

import statistics
import sys
import time
from collections.abc import Callable
from itertools import chain

import numpy as np

VOCABULARY = 250_002
ROW_LENGTH = 250
REPEATS = 5


def counted_by_loop(rows: list[list[int]]) -> np.ndarray:
    counts = np.zeros(VOCABULARY, dtype=np.int64)
    for row in rows:
        for token in row:
            counts[token] += 1
    return counts


def as_array(rows: list[list[int]]) -> np.ndarray:
    return np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=sum(map(len, rows)))


def counted(ids: np.ndarray) -> np.ndarray:
    return np.bincount(ids, minlength=VOCABULARY)


def seconds(work: Callable[[], np.ndarray]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    tokens = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 2_000_000
    ids = np.random.default_rng(0).zipf(1.2, (tokens // ROW_LENGTH, ROW_LENGTH)) % VOCABULARY
    rows, ids = ids.tolist(), ids.ravel()
    assert np.array_equal(counted_by_loop(rows), counted(as_array(rows)))

    loop = seconds(lambda: counted_by_loop(rows))
    ways = {
        "plain Python loop": loop,
        "array from lists + bincount": seconds(lambda: counted(as_array(rows))),
        "bincount alone": seconds(lambda: counted(ids)),
    }
    for name, taken in ways.items():
        print(f"{name:28} {taken:8.4f} s {ids.size / taken / 1e6:8.1f} M tokens/s {loop / taken:7.1f} x the loop")


if __name__ == "__main__":
    main()
