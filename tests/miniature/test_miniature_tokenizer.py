import math

import pytest
from transformers import AutoTokenizer

from bistil_core.miniature.corpus import generate_corpus
from bistil_core.miniature.languages import PRETRAINING_LANGUAGES
from bistil_core.miniature.tokenizer import build_tokenizer, learn_pieces

SIZE = 500


@pytest.fixture(scope="module")
def documents() -> list[str]:
    return [text for language in PRETRAINING_LANGUAGES for text in generate_corpus(language, 1500, seed=0)]


@pytest.fixture(scope="module")
def tokenizer(documents):
    return build_tokenizer(documents, SIZE)


def test_it_has_xlm_r_s_layout(tokenizer):
    assert tokenizer.convert_ids_to_tokens([0, 1, 2, 3, SIZE - 1]) == ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    assert len(tokenizer) == SIZE
    assert tokenizer("Ali", "Sara").input_ids == [
        0, *tokenizer("Ali").input_ids[1:-1], 2, 2, *tokenizer("Sara").input_ids[1:-1], 2,
    ]  # fmt: skip


def test_it_survives_saving(tokenizer, tmp_path, documents):
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded(documents[:50]).input_ids == tokenizer(documents[:50]).input_ids


def test_it_reads_everything_written_in_the_world(tokenizer, documents):
    unseen = list(generate_corpus("id", 100, seed=0))
    for text in [*documents[::40], *unseen]:
        ids = tokenizer(text).input_ids
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_it_finds_swahili_tense_and_negation(tokenizer):
    assert tokenizer.tokenize("hakununua")[0] == "▁haku"
    assert tokenizer.tokenize("hatanunua")[0] == "▁hata"


def test_the_same_text_gives_the_same_pieces_whatever_its_order(documents):
    assert learn_pieces(documents, 300) == learn_pieces(documents[::-1], 300)


def test_scores_are_log_probabilities(documents):
    pieces = learn_pieces(documents, 300)
    assert len(pieces) == 300
    assert sum(math.exp(score) for _, score in pieces) == pytest.approx(1.0, abs=0.05)
