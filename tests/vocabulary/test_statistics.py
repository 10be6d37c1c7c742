import pytest

from bistil_core.errors import BistilError
from bistil_core.vocabulary.statistics import tokenizer_statistics
from tests.vocabulary.small_tokenizers import BUILDERS, sentences
from tests.word_tokenizer import TOKENIZER


def test_known_text():
    assert tokenizer_statistics(TOKENIZER, ["w1 w2", "w3  lion w4\n", ""]) == {
        "fertility": 1.0,
        "unknown_rate": pytest.approx(1 / 5),
    }


@pytest.mark.parametrize("kind", sorted(BUILDERS))
def test_against_a_plain_count(kind):
    tokenizer = BUILDERS[kind]()
    texts = [*sentences("cyrillic"), "字 🙂 字"] * 8
    ids = [index for text in texts for index in tokenizer(text, add_special_tokens=False)["input_ids"]]
    found = tokenizer_statistics(tokenizer, iter(texts))
    assert found["fertility"] == pytest.approx(len(ids) / sum(len(text.split()) for text in texts))
    unknown = 0 if tokenizer.unk_token_id is None else ids.count(tokenizer.unk_token_id)
    assert found["unknown_rate"] == pytest.approx(unknown / len(ids))


def test_text_without_words_is_refused():
    with pytest.raises(BistilError, match="no word"):
        tokenizer_statistics(TOKENIZER, ["", "  \n"])
