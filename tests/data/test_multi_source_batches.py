"""Batches of one language each, every language equally likely."""

from collections import Counter

import numpy as np
import torch

from bistil_core.data.multi_source import MultiSourceBatches, RowsByLanguage, collated_by_language

LENGTHS = {"en": np.arange(1, 41), "sw": np.arange(1, 11)}


def test_a_batch_has_one_language_and_each_is_as_likely_as_another():
    batches = list(MultiSourceBatches(LENGTHS, 4, 2000, seed=1))
    assert len(batches) == len(MultiSourceBatches(LENGTHS, 4, 2000, seed=1)) == 2000
    assert all(len({language for language, _ in batch}) == 1 for batch in batches)
    drawn = Counter(batch[0][0] for batch in batches)
    assert abs(drawn["en"] - 1000) < 4 * 500**0.5


def test_every_row_of_a_language_comes_before_any_comes_again():
    rows = [row for batch in MultiSourceBatches(LENGTHS, 4, 200, seed=2) for language, row in batch if language == "sw"]
    for start in range(0, len(rows) - 10, 10):
        assert sorted(rows[start : start + 10]) == list(range(10))


def test_batches_are_the_same_whenever_they_are_drawn_and_others_for_another_seed():
    batches = MultiSourceBatches(LENGTHS, 4, 50, seed=1)
    assert list(batches) == list(batches)
    assert list(batches) != list(MultiSourceBatches(LENGTHS, 4, 50, seed=2))


def test_a_collated_batch_says_its_language_beside_the_rows():
    rows = RowsByLanguage({"en": [{"x": 1}], "sw": [{"x": 2}, {"x": 3}]})
    collate = collated_by_language(lambda rows: {"x": torch.tensor([row["x"] for row in rows])})
    assert len(rows) == 3
    batch = collate([rows["sw", 1], rows["sw", 0]])
    assert {name: value.tolist() for name, value in batch.items()} == {"x": [3, 2], "language": [1]}
