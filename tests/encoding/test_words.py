import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from bistil_core.encoding.words import special_tokens_around, windows_of

CLS, SEP, UNKNOWN = 0, 1, 2
LETTERS = "abcdefgh"


@pytest.fixture(scope="module")
def tokenizer():
    """Every letter is a sub-word, so that a word has as many as it has letters."""
    pieces = ["[CLS]", "[SEP]", "[UNK]", "[PAD]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]", pad_token="[PAD]"
    )


def test_special_tokens_are_found(tokenizer):
    assert special_tokens_around(tokenizer) == ([CLS], [SEP])


def test_a_short_sentence_is_one_window(tokenizer):
    (window,) = windows_of([["ab", "c"]], tokenizer, 16)
    assert window.word_of_token == [-1, 0, 0, 1, -1]
    assert tokenizer.convert_ids_to_tokens(window.input_ids) == ["[CLS]", "a", "##b", "c", "[SEP]"]
    assert window.at_first_sub_words([7, 8], -100) == [-100, 7, -100, 8, -100]


def test_a_word_of_nothing_is_unknown_and_a_long_one_is_cut(tokenizer):
    windows = list(windows_of([["\u200b", "abcdefgh", "a"]], tokenizer, 6))
    assert [(window.first_word, window.words) for window in windows] == [(0, 1), (1, 1), (2, 1)]
    assert windows[0].input_ids == [CLS, UNKNOWN, SEP]
    assert len(windows[1].input_ids) == 6


words = st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=40)


@given(sentences=st.lists(words, min_size=1, max_size=4), max_length=st.integers(5, 30))
def test_every_word_is_read_exactly_once_and_every_window_fits(tokenizer, sentences, max_length):
    read = [[] for _ in sentences]
    for window in windows_of(sentences, tokenizer, max_length):
        assert len(window.input_ids) == len(window.word_of_token) <= max_length
        assert len(read[window.sentence]) == window.first_word
        labels = window.at_first_sub_words(range(100), -100)
        read[window.sentence] += [label for label in labels if label != -100]
        for word in range(window.words):
            ids = [id for id, owner in zip(window.input_ids, window.word_of_token, strict=True) if owner == word]
            spelled = "".join(tokenizer.convert_ids_to_tokens(ids)).replace("##", "")
            assert spelled == sentences[window.sentence][window.first_word + word][: max_length - 2]
    assert read == [list(range(len(sentence))) for sentence in sentences]
