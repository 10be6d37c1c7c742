import functools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bistil_core.vocabulary.character_coverage import covering_token_ids
from bistil_core.vocabulary.counting import count_tokens, kept_token_ids
from bistil_core.vocabulary.trimmed_tokenizer import trim_tokenizer
from tests.vocabulary.small_tokenizers import BUILDERS, SCRIPTS, sentences

SURFACES = {0: "a", 1: "b", 2: "c", 3: "d", 4: "ab", 5: "aac", 6: "e", 7: "a"}


def covered(coverage, **counts):
    counts = {language: np.array(of_language) for language, of_language in counts.items()}
    return covering_token_ids(counts, coverage, SURFACES)


def test_the_most_frequent_characters_up_to_the_share():
    # a 60, b 30, d 10, of 100
    assert covered(0.5, en=[30, 0, 0, 10, 30]) == {0, 7}
    assert covered(0.6, en=[30, 0, 0, 10, 30]) == {0, 7}
    assert covered(0.61, en=[30, 0, 0, 10, 30]) == {0, 1, 7}
    assert covered(0.9, en=[30, 0, 0, 10, 30]) == {0, 1, 7}
    assert covered(1.0, en=[30, 0, 0, 10, 30]) == {0, 1, 3, 7}


def test_characters_inside_of_longer_tokens_count_and_those_of_no_token_do_not():
    assert covered(1.0, en=[0, 0, 0, 0, 0, 1, 0, 0, 99]) == {0, 2, 7}


def test_each_language_is_covered_by_itself():
    assert covered(0.9, en=[1000, 0, 0, 0], sw=[0, 0, 0, 1]) == {0, 3, 7}


def test_characters_as_frequent_as_the_last_one_needed_are_taken_too():
    assert covered(0.5, en=[5, 5, 5, 1]) == {0, 1, 2, 7}


# The tokens that spell a word letter by letter, of the tokenizers in which an uncovered letter becomes unknown.
SPELLING = {
    "unigram_xlm_roberta": lambda word: ["▁", *word],
    "unigram_deberta": lambda word: ["▁", *word],
    "wordpiece_bert": lambda word: [word[0], *("##" + letter for letter in word[1:])],
    "bpe_with_unknown": lambda word: [*word[:-1], word[-1] + "</w>"],
}
PAIRS = (("latin", "arabic"), ("cyrillic", "ethiopic"), ("han", "thai"), ("hangul", "devanagari"), ("greek", "kana"))


@functools.cache
def cut(kind, pair, coverage):
    tokenizer = BUILDERS[kind]()
    counts = {script: count_tokens(tokenizer, sentences(script)) for script in pair}
    kept = kept_token_ids(counts, 0.01, tokenizer, coverage)
    return SimpleNamespace(old=tokenizer, kept=kept, new=trim_tokenizer(tokenizer, kept))


def words_of(pair):
    letters = sorted({letter for script in pair for sentence in sentences(script) for letter in sentence} - {" ", "."})
    return st.lists(st.text(letters, min_size=1, max_size=6), min_size=1, max_size=4)


@given(
    kind=st.sampled_from(sorted(SPELLING)),
    case=st.sampled_from(PAIRS).flatmap(lambda p: st.tuples(st.just(p), words_of(p))),
)
@settings(max_examples=300, deadline=None)
def test_no_word_of_covered_letters_becomes_unknown(kind, case):
    pair, words = case
    whole = cut(kind, pair, 1.0)
    vocabulary = whole.old.get_vocab()
    words = [word for word in words if all(token in vocabulary for token in SPELLING[kind](word))]
    assume(words)
    ids = whole.new(" ".join(words), add_special_tokens=False)["input_ids"]
    assert whole.new.unk_token_id not in ids


@pytest.mark.parametrize("kind", sorted(SPELLING))
@pytest.mark.parametrize("pair", PAIRS)
def test_without_it_letters_are_lost_and_with_it_none_of_the_corpora(kind, pair):
    plain, whole = cut(kind, pair, None), cut(kind, pair, 1.0)
    assert len(plain.kept) < len(whole.kept) < len(whole.old)
    texts = [sentence for script in pair for sentence in sentences(script)]

    def unknown(tokenizer):
        return sum(ids.count(tokenizer.unk_token_id) for ids in tokenizer(texts)["input_ids"])

    assert unknown(plain.new) > unknown(whole.new) == unknown(whole.old) == 0


@given(
    kind=st.sampled_from(sorted(BUILDERS)),
    script=st.sampled_from(sorted(SCRIPTS)),
    coverages=st.tuples(st.floats(0.01, 1.0), st.floats(0.01, 1.0)),
)
@settings(max_examples=60, deadline=None)
def test_more_coverage_keeps_more_and_the_threshold_s_tokens_always(kind, script, coverages):
    low, high = sorted(coverages)
    tokenizer = BUILDERS[kind]()
    counts = {script: count_tokens(tokenizer, sentences(script)[:20])}
    none, some, more = (set(kept_token_ids(counts, 0.01, tokenizer, share)) for share in (None, low, high))
    assert none <= some <= more


@pytest.mark.parametrize("kind", ["unigram_with_bytes", "bpe_with_bytes"])
def test_letters_keep_their_tokens_although_bytes_could_spell_them(kind):
    whole = cut(kind, PAIRS[0], 1.0)
    letters = {letter for script in PAIRS[0] for sentence in sentences(script) for letter in sentence} - {" "}
    assert letters & set(whole.old.get_vocab()) == letters & set(whole.new.get_vocab()) != set()
