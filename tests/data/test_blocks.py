import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bistil_core.data.bilingual import BilingualBatches, MaskedBlocks, ValidationBatches
from bistil_core.data.blocks import MaskingIds, mask_tokens, mask_with_labels, tokenise_into_blocks
from bistil_core.errors import BistilError
from tests.word_tokenizer import TOKENIZER, WORDS


def corpus(path, documents):
    pq.write_table(pa.table({"text": pa.array(documents, pa.string())}), path)
    return path


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=9), min_size=3, max_size=30), st.integers(2, 8))
def test_blocks_are_the_joined_documents(tmp_path_factory, documents, block_length):
    path = corpus(tmp_path_factory.mktemp("blocks") / "c.parquet", [" ".join(words) for words in documents])
    joined = [token for words in documents for token in TOKENIZER(" ".join(words))["input_ids"]]
    if len(joined) < block_length:
        return
    blocks = tokenise_into_blocks(TOKENIZER, path, block_length)
    assert blocks.shape == (len(joined) // block_length, block_length)
    assert blocks.ravel().tolist() == joined[: blocks.size]
    assert np.array_equal(tokenise_into_blocks(TOKENIZER, path, block_length, limit=1), blocks[:1])


def test_a_corpus_that_fills_no_block_is_an_error(tmp_path):
    path = corpus(tmp_path / "train.parquet", ["w1 w2"])
    with pytest.raises(BistilError, match=r"train\.parquet has 4 tokens, less than one block of 8"):
        tokenise_into_blocks(TOKENIZER, path, 8)


def test_masking_takes_its_share_80_10_10_and_spares_special_tokens():
    generator = np.random.default_rng(0)
    ids = generator.integers(4, 44, size=(400, 250))
    ids[:, 0], ids[:, -1] = TOKENIZER.bos_token_id, TOKENIZER.eos_token_id
    masked = mask_tokens(ids, TOKENIZER, 0.15, (7,))
    assert np.array_equal(masked[:, 0], ids[:, 0])
    assert np.array_equal(masked[:, -1], ids[:, -1])
    inside = masked[:, 1:-1]
    to_mask = (inside == TOKENIZER.mask_token_id).mean()
    to_other = ((inside != ids[:, 1:-1]) & (inside != TOKENIZER.mask_token_id)).mean()
    assert to_mask == pytest.approx(0.15 * 0.8, abs=0.004)
    assert to_other == pytest.approx(0.15 * 0.1, abs=0.002)
    assert masked.min() >= 0
    assert masked.max() < len(TOKENIZER)


def test_the_same_seed_masks_the_same_way():
    ids = np.arange(4, 44)
    assert np.array_equal(mask_tokens(ids, TOKENIZER, 0.3, (1, 2)), mask_tokens(ids, TOKENIZER, 0.3, (1, 2)))
    assert not np.array_equal(mask_tokens(ids, TOKENIZER, 0.3, (1, 2)), mask_tokens(ids, TOKENIZER, 0.3, (1, 3)))


def test_a_cut_vocabulary_masks_the_same_tokens():
    kept_ids = np.array([*range(5), 7, 11, 30, TOKENIZER.mask_token_id])
    kept_ids = np.union1d(kept_ids, TOKENIZER.all_special_ids)
    whole = MaskingIds.of(TOKENIZER)
    cut = whole.renumbered(kept_ids)
    assert kept_ids[cut.mask] == whole.mask
    assert set(kept_ids[list(cut.special)]) == set(whole.special)
    ids = np.random.default_rng(0).integers(len(kept_ids), size=(50, 40))
    masked, labels = mask_with_labels(ids, cut, 0.3, (1,))
    expected, expected_labels = mask_with_labels(kept_ids[ids], whole, 0.3, (1,))
    assert np.array_equal(np.where(labels == -100, -100, kept_ids[labels.clip(0)]), expected_labels)
    assert np.array_equal(kept_ids[masked][labels == -100], expected[labels == -100])
    assert (masked == cut.mask).sum() > 0.7 * (labels != -100).sum()
    assert masked.max() == len(kept_ids) - 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 9), st.integers(1, 30), st.integers(1, 30))
def test_batches_hold_one_language_and_draw_every_block_before_repeating(seed, batch_size, english, swahili):
    batches = list(BilingualBatches({"en": english, "sw": swahili}, batch_size, 60, seed))
    assert len(batches) == 60
    assert batches == list(BilingualBatches({"en": english, "sw": swahili}, batch_size, 60, seed))
    drawn = {"en": [], "sw": []}
    for batch in batches:
        assert len({language for language, _, _ in batch}) == 1
        for language, row, _ in batch:
            drawn[language].append(row)
    for language, size in (("en", english), ("sw", swahili)):
        for start in range(0, len(drawn[language]) - size + 1, size):
            assert sorted(drawn[language][start : start + size]) == list(range(size))
    numbers = [number for batch in batches for _, _, number in batch]
    assert len(set(numbers)) == len(numbers)


def test_languages_are_drawn_evenly():
    batches = list(BilingualBatches({"en": 5, "sw": 500}, 1, 4000, seed=3))
    share = np.mean([batch[0][0] == "en" for batch in batches])
    assert share == pytest.approx(0.5, abs=0.03)


def test_validation_sees_every_block_once_with_the_same_masks():
    blocks = {"en": np.full((5, 6), 10, dtype=np.int32), "sw": np.full((3, 6), 20, dtype=np.int32)}
    dataset = MaskedBlocks(blocks, MaskingIds.of(TOKENIZER), 0.5, seed=1)
    batches = list(ValidationBatches({"en": 5, "sw": 3}, 2))
    seen = sorted((language, row) for batch in batches for language, row, _ in batch)
    assert seen == [("en", row) for row in range(5)] + [("sw", row) for row in range(3)]
    assert all(len({language for language, _, _ in batch}) == 1 for batch in batches)
    first, again = ([dataset[draw]["input_ids"].tolist() for batch in batches for draw in batch] for _ in range(2))
    assert first == again
    assert len({tuple(ids) for ids in first}) > 1
