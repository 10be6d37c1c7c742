"""Counting tokenised rows against a plain Python loop: python benchmarks/vocabulary.py [millions of tokens].

Both read the same rows, an Arrow array as the tokenisation hands it over (and as a tokenised data set holds it).
The loop is given its best case as well, in which the rows are lists of Python integers to begin with.
"""

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from bistil_core.vocabulary.counting import count_rows
from bistil_core.vocabulary.tokenised_text import rows_of

VOCABULARY = 250_002
ROW_LENGTH = 250
REPEATS = 5


def counted_by_loop(rows: list[list[int]]) -> dict[int, int]:
    counts = {}
    for row in rows:
        for token in row:
            counts[token] = counts.get(token, 0) + 1
    return counts


def seconds(work: Callable[[], object]) -> float:
    """CPU time, so that what else runs on the machine does not count."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def main() -> None:
    tokens = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 5_000_000
    lists = (np.random.default_rng(0).zipf(1.2, (tokens // ROW_LENGTH, ROW_LENGTH)) % VOCABULARY).tolist()
    rows = rows_of(lists)
    counts = count_rows(rows, VOCABULARY)
    assert counted_by_loop(lists) == {index: count for index, count in enumerate(counts.tolist()) if count}

    taken = {
        "count_rows": seconds(lambda: count_rows(rows, VOCABULARY)),
        "plain loop over the same rows": seconds(lambda: counted_by_loop(rows.to_pylist())),
        "plain loop over Python lists": seconds(lambda: counted_by_loop(lists)),
        "(lists to rows, once)": seconds(lambda: rows_of(lists)),
    }
    for name, of_this in taken.items():
        speed = counts.sum() / of_this / 1e6
        print(f"{name:30} {of_this:8.4f} s {speed:8.1f} M tokens/s {of_this / taken['count_rows']:7.1f} x the time")


if __name__ == "__main__":
    main()
