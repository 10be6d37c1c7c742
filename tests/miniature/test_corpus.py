import pytest

from bistil_core.errors import BistilError
from bistil_core.miniature.corpus import generate_corpus
from bistil_core.miniature.languages import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_documents_are_sentences_and_reproducible(language: str):
    documents = list(generate_corpus(language, 200, seed=1))
    assert documents == list(generate_corpus(language, 200, seed=1))
    assert documents != list(generate_corpus(language, 200, seed=2))
    assert len(documents) == 200
    assert all(document.endswith(".") and 2 <= document.count(".") <= 6 for document in documents)


def test_corpora_of_two_languages_are_no_translations():
    """Names are the same in all languages: parallel corpora would mention them in the same order."""
    names = {"Ali", "Sara", "Omar", "Rosa"}
    told = [
        [names & set(document.replace(".", "").split()) for document in generate_corpus(language, 100, seed=1)]
        for language in ("en", "sw")
    ]
    assert told[0] != told[1]


def test_an_unknown_language_is_refused():
    with pytest.raises(BistilError, match="'xx'"):
        next(generate_corpus("xx", 1, seed=0))
