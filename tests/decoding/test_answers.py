import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bistil_core.decoding.answers import LONGEST_ANSWER, best_span, exact_match, normalised, token_f1


def test_the_best_span_begins_before_it_ends():
    start, end = np.array([0.0, 1.0, 5.0]), np.array([5.0, 2.0, 0.0])
    assert best_span(start, end) == (2, 2, 5.0) or best_span(start, end) == (0, 0, 5.0)
    first, last, score = best_span(np.array([3.0, 0.0, 5.0]), np.array([0.0, 4.0, 1.0]))
    assert (first, last, score) == (0, 1, 7.0)


@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_no_span_is_better(length, seed):
    generator = np.random.default_rng(seed)
    start, end = generator.normal(size=(2, length))
    every = [(start[i] + end[j]) for i in range(length) for j in range(i, min(length, i + LONGEST_ANSWER))]
    first, last, score = best_span(start, end)
    assert first <= last < first + LONGEST_ANSWER
    assert score == pytest.approx(max(every))
    assert score == pytest.approx(start[first] + end[last])


def test_english_answers_lose_case_articles_and_ascii_punctuation():
    assert normalised("The  Quick, brown fox!", "en") == "quick brown fox"
    assert normalised("a cat's an\u2013the", "en") == "cats \u2013"
    assert normalised("theatre", "en") == "theatre"


def test_other_languages_keep_their_words_and_lose_their_own_punctuation():
    assert normalised("\u00abA casa\u00bb, the\u2026", "es") == "a casa the"
    assert normalised("\u00bfQu\u00e9?", "es") == "qu\u00e9"


def test_scores_of_known_answers():
    assert exact_match("The answer.", ["answer", "other"], "en") == 1.0
    assert exact_match("an answer here", ["answer"], "en") == 0.0
    assert token_f1("big red house", ["red house", "blue"], "en") == pytest.approx(2 * 2 / 5)
    assert token_f1("red red", ["red house"], "en") == pytest.approx(2 * 1 / 4)
    assert token_f1("x", ["y"], "en") == 0.0


texts = st.text(st.sampled_from([*"abtheTHE .,!'-", "an ", "the ", "\u2013"]), min_size=1, max_size=30)


@given(answer=texts, gold=st.lists(texts.filter(str.strip), min_size=1, max_size=3))
def test_scores_agree_with_the_public_scorer(answer, gold, public_scorer):
    found = public_scorer(answer, gold)
    assert 100 * exact_match(answer, gold, "en") == pytest.approx(found["exact_match"], abs=1e-9)
    assert 100 * token_f1(answer, gold, "en") == pytest.approx(found["f1"], abs=1e-9)


@pytest.fixture(scope="module")
def public_scorer():
    """The `evaluate` package's squad metric, where the package has its script on board."""
    evaluate = pytest.importorskip("evaluate")
    try:
        metric = evaluate.load("squad")
    except Exception as error:
        pytest.skip(f"the squad metric cannot be loaded without a network: {type(error).__name__}")

    def score(answer, gold):
        return metric.compute(
            predictions=[{"id": "1", "prediction_text": answer}],
            references=[{"id": "1", "answers": {"text": gold, "answer_start": [0] * len(gold)}}],
        )

    return score
