from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bistil_core.errors import BistilError
from bistil_core.vocabulary.counting import count_rows, count_tokens, kept_token_ids
from bistil_core.vocabulary.tokenised_text import rows_of
from tests.vocabulary.small_tokenizers import BUILDERS, sentences


@pytest.mark.parametrize("kind", sorted(BUILDERS))
def test_counts_are_those_of_a_plain_loop_over_texts(kind):
    tokenizer = BUILDERS[kind]()
    texts = [*sentences("latin"), *sentences("han"), ""] * 4
    expected = Counter(index for text in texts for index in tokenizer(text, add_special_tokens=False)["input_ids"])
    counts = count_tokens(tokenizer, iter(texts))
    assert counts.dtype == np.int64
    assert counts.shape == (max(tokenizer.get_vocab().values()) + 1,)
    assert {index: count for index, count in enumerate(counts.tolist()) if count} == expected


@given(st.lists(st.lists(st.integers(0, 30), max_size=6), max_size=8), st.integers(0, 3))
def test_rows_are_counted_without_their_neighbours(ids, start):
    rows = rows_of(ids)
    assert rows.to_pylist() == ids
    expected = Counter(index for row in ids[start:] for index in row)
    assert count_rows(rows[start:], 31).tolist() == [expected[index] for index in range(31)]


def test_truncation_and_padding_of_an_earlier_call_are_not_counted():
    """The real mBERT's tokenizer.json comes with both switched on."""
    tokenizer = BUILDERS["wordpiece_bert"].__wrapped__()
    text = " ".join(sentences("latin")[:20])
    expected = count_tokens(tokenizer, [text])
    tokenizer.backend_tokenizer.enable_truncation(8)
    tokenizer.backend_tokenizer.enable_padding(length=8)
    assert np.array_equal(count_tokens(tokenizer, [text]), expected)
    assert expected.sum() > 100


def test_one_string_in_place_of_several_is_refused():
    with pytest.raises(BistilError, match="one string"):
        count_tokens(BUILDERS["wordpiece_bert"](), "a text")


def in_order(tokenizer, words):
    """Counts that make `words` (token -> count) the only tokens of a corpus."""
    counts = np.zeros(max(tokenizer.get_vocab().values()) + 1, dtype=np.int64)
    for token, count in words.items():
        counts[tokenizer.convert_tokens_to_ids(token)] = count
    return counts


def test_a_token_stays_at_the_threshold_in_either_language_and_goes_below_it():
    tokenizer = BUILDERS["wordpiece_bert"]()
    first, second, third = [token for token in tokenizer.get_vocab() if token.isalpha()][:3]
    kept = kept_token_ids(
        {
            "en": in_order(tokenizer, {first: 999, second: 1}),
            "sw": in_order(tokenizer, {first: 3999, third: 1}),
        },
        0.001,
        tokenizer,
    )
    expected = {tokenizer.convert_tokens_to_ids(token) for token in (first, second)} | set(tokenizer.all_special_ids)
    assert kept.tolist() == sorted(expected)
    assert kept.dtype == np.int64


@given(
    kind=st.sampled_from(sorted(BUILDERS)),
    counts=st.lists(st.integers(0, 50), min_size=1, max_size=40),
    thresholds=st.tuples(st.floats(0, 0.2), st.floats(0, 0.2)),
)
@settings(max_examples=60, deadline=None)
def test_a_higher_threshold_keeps_a_subset_with_all_special_tokens(kind, counts, thresholds):
    tokenizer = BUILDERS[kind]()
    size = max(tokenizer.get_vocab().values()) + 1
    corpus = np.resize(np.array([*counts, 1]), size)
    corpus[: size // 2] = 0

    def kept(threshold):
        try:
            return set(kept_token_ids({"en": corpus}, threshold, tokenizer).tolist())
        except BistilError:
            return set(tokenizer.all_special_ids)

    low, high = sorted(thresholds)
    assert set(tokenizer.all_special_ids) <= kept(high) <= kept(low)


def test_threshold_zero_keeps_everything():
    tokenizer = BUILDERS["bpe_roberta"]()
    kept = kept_token_ids({"en": count_tokens(tokenizer, sentences("latin"))}, 0.0, tokenizer)
    assert kept.tolist() == list(range(len(tokenizer)))


def test_merges_stay_closed():
    """A kept byte-pair token needs both parts of its merge, and theirs, although no text shows them."""
    tokenizer = BUILDERS["bpe_roberta"]()
    longest = max(tokenizer.get_vocab(), key=lambda token: len(token) if token.isascii() else 0)
    kept = kept_token_ids({"en": in_order(tokenizer, {longest: 1})}, 0.5, tokenizer)
    text = longest.replace("Ġ", " ")
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == [longest]
    merged = [token for token in tokenizer.convert_ids_to_tokens(kept.tolist()) if 1 < len(token) <= len(longest)]
    assert len([token for token in merged if token in longest]) >= 2
    assert all(tokenizer.convert_tokens_to_ids(letter) in kept for letter in longest)


def test_what_cannot_be_judged_is_refused():
    tokenizer = BUILDERS["wordpiece_bert"]()
    size = len(tokenizer)
    with pytest.raises(BistilError, match="no language"):
        kept_token_ids({}, 1e-6, tokenizer)
    with pytest.raises(BistilError, match="counts of sw: not a single token"):
        kept_token_ids({"en": np.ones(size, int), "sw": np.zeros(size, int)}, 1e-6, tokenizer)
    with pytest.raises(BistilError, match=f"counts of en: shape .*ids 0 to {size - 1}"):
        kept_token_ids({"en": np.ones(size + 1, int)}, 1e-6, tokenizer)
    first, second = [token for token in tokenizer.get_vocab() if token.isalpha()][:2]
    with pytest.raises(BistilError, match=r"trim.threshold: 0.9 keeps no token .* probability 0\.5"):
        kept_token_ids({"en": in_order(tokenizer, {first: 5, second: 5})}, 0.9, tokenizer)
    with pytest.raises(BistilError, match="keeps no token but the special ones"):
        kept_token_ids({"en": in_order(tokenizer, {"[UNK]": 5, first: 5})}, 0.5001, tokenizer)
