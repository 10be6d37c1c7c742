from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from bistil_core.encoding.questions import question_windows, tokens_of_answer


def question_tokenizer():
    vocabulary = {token: index for index, token in enumerate(["[CLS]", "[PAD]", "[SEP]", "[UNK]", *"abcdefghij?"])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 0), ("[SEP]", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]"
    )


TOKENIZER = question_tokenizer()


def words_of(window):
    ids = window.inputs["input_ids"][window.first : window.first + len(window.offsets)]
    return TOKENIZER.convert_ids_to_tokens(ids)


def test_a_short_context_is_one_window():
    (window,) = question_windows(["a ?"], ["b c d"], TOKENIZER, 16)
    assert TOKENIZER.convert_ids_to_tokens(window.inputs["input_ids"]) == [
        "[CLS]",
        "a",
        "?",
        "[SEP]",
        "b",
        "c",
        "d",
        "[SEP]",
    ]
    assert words_of(window) == ["b", "c", "d"]
    assert tokens_of_answer(window, 2, 5) == (5, 6)


@given(
    question=st.lists(st.sampled_from("abc?"), min_size=1, max_size=30),
    context=st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=80),
    max_length=st.integers(10, 40),
)
def test_every_token_of_the_context_is_in_a_window_and_neighbours_overlap(question, context, max_length):
    windows = list(question_windows([" ".join(question)], [" ".join(context)], TOKENIZER, max_length))
    seen = set()
    for window in windows:
        assert len(window.inputs["input_ids"]) <= max_length
        places = [begin // 2 for begin, _ in window.offsets]
        assert [context[place] for place in places] == words_of(window)
        assert not seen or seen & set(places) or max_length - len(question) < 6
        seen |= set(places)
    assert seen == set(range(len(context)))


def test_a_long_question_leaves_half_of_the_room_for_the_context():
    windows = list(question_windows([" ".join("a" * 100)], ["b c d e f"], TOKENIZER, 20))
    assert len(windows) == 1
    assert words_of(windows[0]) == list("bcdef")


def test_an_answer_that_is_cut_by_the_window_is_not_in_it():
    context = " ".join("abcdefghij" * 3)
    windows = list(question_windows(["a ?"], [context], TOKENIZER, 14))
    start, end = 2 * 8, 2 * 11 + 1  # the words 8 to 11
    for window in windows:
        places = [begin // 2 for begin, _ in window.offsets]
        found = tokens_of_answer(window, start, end)
        if set(range(8, 12)) <= set(places):
            assert found == (window.first + places.index(8), window.first + places.index(11))
        else:
            assert found is None
    assert any(tokens_of_answer(window, start, end) for window in windows)
    assert not all(tokens_of_answer(window, start, end) for window in windows)
