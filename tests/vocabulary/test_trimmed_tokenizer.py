"""What a cut tokenizer promises, for every algorithm and over many scripts."""

import functools
import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import normalizers
from transformers import AutoTokenizer

from bistil_core.errors import BistilError
from bistil_core.vocabulary.counting import count_tokens, kept_token_ids
from bistil_core.vocabulary.trimmed_tokenizer import trim_tokenizer
from tests.vocabulary.small_tokenizers import BUILDERS, SCRIPTS, sentences
from tests.word_tokenizer import word_tokenizer

PAIRS = (("latin", "arabic"), ("cyrillic", "ethiopic"), ("han", "thai"), ("hangul", "devanagari"))
THRESHOLDS = (1e-4, 2e-3)

# Sentences as a user writes them, arbitrary strings (control characters, emoji, nothing), and special tokens.
WRITTEN = st.sampled_from([sentence for script in SCRIPTS for sentence in sentences(script)])
TEXTS = st.lists(
    WRITTEN | st.text(max_size=12) | st.sampled_from(["<mask>", "[MASK]", "<s>", " ", "\n\n", "don't", "①"]), max_size=5
).map(" ".join)


@functools.cache
def trimmed(kind: str, pair: tuple[str, str], threshold: float):
    tokenizer = BUILDERS[kind]()
    counts = {script: count_tokens(tokenizer, sentences(script)) for script in pair}
    kept = kept_token_ids(counts, threshold, tokenizer)
    return SimpleNamespace(old=tokenizer, kept=kept, new=trim_tokenizer(tokenizer, kept))


CUTS = st.builds(trimmed, st.sampled_from(sorted(BUILDERS)), st.sampled_from(PAIRS), st.sampled_from(THRESHOLDS))


@given(cut=CUTS, text=TEXTS)
@settings(max_examples=400, deadline=None)
def test_ids_map_one_to_one_where_no_removed_token_was_used(cut, text):
    before = cut.old(text)["input_ids"]
    after = cut.new(text)["input_ids"]
    # An unknown WordPiece word may hide a removed token that led its match into a dead end.
    hidden = type(cut.old).__name__ == "BertTokenizer" and cut.old.unk_token_id in before
    if set(before) <= set(cut.kept.tolist()) and not hidden:
        assert cut.kept[after].tolist() == before
    assert all(0 <= index < len(cut.kept) for index in after)


@pytest.mark.parametrize("kind", sorted(BUILDERS))
def test_most_text_of_the_two_languages_is_unchanged(kind):
    """So that the property above is about something."""
    cut = trimmed(kind, PAIRS[0], THRESHOLDS[0])
    for script in PAIRS[0]:
        for sentence in sentences(script):
            assert cut.kept[cut.new(sentence)["input_ids"]].tolist() == cut.old(sentence)["input_ids"]
    assert len(cut.kept) < len(cut.old)


@pytest.mark.parametrize("kind", sorted(BUILDERS))
def test_tokens_keep_their_old_order_and_every_new_id_has_one(kind):
    cut = trimmed(kind, PAIRS[1], THRESHOLDS[1])
    new_tokens = cut.new.convert_ids_to_tokens(range(len(cut.kept)))
    assert new_tokens == cut.old.convert_ids_to_tokens(cut.kept.tolist())
    assert len(cut.new) == len(cut.kept) == max(cut.new.get_vocab().values()) + 1


@pytest.mark.parametrize("kind", sorted(BUILDERS))
@pytest.mark.parametrize("with_config", [False, True])
def test_saved_and_loaded_it_gives_the_same_ids(kind, with_config, tmp_path):
    cut = trimmed(kind, PAIRS[2], THRESHOLDS[1])
    cut.new.save_pretrained(tmp_path)
    if with_config:
        model_type = {"X": "xlm-roberta", "D": "deberta-v2", "B": "bert", "R": "roberta", "T": "modernbert"}
        config = {"model_type": model_type[type(cut.new).__name__[0]], "vocab_size": len(cut.kept)}
        (tmp_path / "config.json").write_text(json.dumps(config))
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    texts = [sentence for script in SCRIPTS for sentence in sentences(script)[:40]] + ["a <mask> b", "x 🙂 y\n\nz"]
    assert loaded(texts)["input_ids"] == cut.new(texts)["input_ids"]
    assert loaded(texts[0], texts[1])["input_ids"] == cut.new(texts[0], texts[1])["input_ids"]
    assert loaded.special_tokens_map == cut.new.special_tokens_map == cut.old.special_tokens_map
    assert loaded.all_special_ids == cut.new.all_special_ids
    assert loaded.decode(loaded(texts[0])["input_ids"]) == cut.new.decode(cut.new(texts[0])["input_ids"])


@pytest.mark.parametrize("kind", sorted(BUILDERS))
def test_same_cut_same_bytes_whatever_was_tokenised_before(kind, tmp_path):
    cut = trimmed(kind, PAIRS[0], THRESHOLDS[0])
    cut.new.save_pretrained(tmp_path / "first")
    cut.old("some text", padding="max_length", truncation=True, max_length=5)
    trim_tokenizer(cut.old, cut.kept).save_pretrained(tmp_path / "second")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


@pytest.mark.parametrize("kind", sorted(BUILDERS))
def test_the_tokenizer_that_is_given_does_not_change(kind):
    tokenizer = BUILDERS[kind]()
    before, size = tokenizer(list(sentences("greek")))["input_ids"], len(tokenizer)
    trim_tokenizer(tokenizer, trimmed(kind, PAIRS[0], THRESHOLDS[1]).kept)
    assert tokenizer(list(sentences("greek")))["input_ids"] == before
    assert len(tokenizer) == size


def test_an_unknown_character_costs_as_much_as_before():
    """Unigram's penalty hangs on the lowest score of the vocabulary, so a cut could change who wins."""
    cut = trimmed("unigram_xlm_roberta", PAIRS[0], THRESHOLDS[1])

    def lowest(tokenizer):
        return min(score for _, score in json.loads(tokenizer.backend_tokenizer.to_str())["model"]["vocab"])

    kept_tokens = set(cut.new.get_vocab())
    vocabulary = json.loads(cut.old.backend_tokenizer.to_str())["model"]["vocab"]
    assert min(score for piece, score in vocabulary if piece in kept_tokens) > lowest(cut.old)
    assert lowest(cut.new) == lowest(cut.old)


def test_byte_level_text_survives_in_scripts_that_were_cut_away():
    cut = trimmed("bpe_roberta", PAIRS[0], THRESHOLDS[1])
    for script in SCRIPTS:
        text = sentences(script)[0]
        assert cut.new.decode(cut.new(text, add_special_tokens=False)["input_ids"]) == text


@pytest.mark.parametrize("kind", ["unigram_with_bytes", "bpe_with_bytes"])
def test_byte_fallback_spells_characters_that_were_cut_away(kind):
    cut = trimmed(kind, PAIRS[0], THRESHOLDS[1])
    assert not any("字" in token for token in cut.new.get_vocab())
    ids = cut.new("字", add_special_tokens=False)["input_ids"]
    assert [f"<0x{byte:02X}>" for byte in "字".encode()] == cut.new.convert_ids_to_tokens(ids)[-3:]
    assert cut.new.decode(ids).strip() == "字"


def test_merges_without_their_token_go_and_the_others_keep_their_rank():
    cut = trimmed("bpe_roberta", PAIRS[0], THRESHOLDS[1])
    old, new = (json.loads(t.backend_tokenizer.to_str())["model"]["merges"] for t in (cut.old, cut.new))
    vocabulary = cut.new.get_vocab()
    assert new == [merge for merge in old if "".join(merge) in vocabulary]
    assert len(new) < len(old)


def test_a_pipeline_that_its_class_would_rewrite_is_loaded_as_it_stands():
    tokenizer = BUILDERS["unigram_xlm_roberta"].__wrapped__()
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    text = sentences("latin")[0]
    counts = count_tokens(tokenizer, sentences("latin"))
    cut = trim_tokenizer(tokenizer, kept_token_ids({"latin": counts}, 1e-4, tokenizer))
    assert cut(text.upper())["input_ids"] == cut(text)["input_ids"]
    assert cut.unk_token_id not in cut(text.upper())["input_ids"]


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(BistilError, match=r"WordLevel.*Unigram, WordPiece, BPE"):
        trim_tokenizer(word_tokenizer(), np.arange(10))
    tokenizer = BUILDERS["wordpiece_bert"]()
    with pytest.raises(BistilError, match=r"lack the special tokens \[UNK\], \[CLS\]"):
        trim_tokenizer(tokenizer, np.array([0, 100, 200]))
    with pytest.raises(BistilError, match=f"{len(tokenizer)} is the id of no token"):
        trim_tokenizer(tokenizer, np.arange(len(tokenizer) + 1))
    with pytest.raises(BistilError, match="no fast tokenizer"):
        trim_tokenizer(object(), np.arange(3))
