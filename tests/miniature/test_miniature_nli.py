from collections import Counter
from functools import cache

import pytest
from scipy.sparse import hstack
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from bistil_core.miniature.examples.nli import LABELS, generate, generate_claims
from bistil_core.miniature.languages import LANGUAGES
from bistil_core.miniature.lexicon import HYPERNYMS, OPPOSITE_ADJECTIVES, OPPOSITE_VERBS
from bistil_core.miniature.splits import SPLITS
from bistil_core.miniature.world import Claim


def broader(general: Claim, special: Claim) -> bool:
    """Whether `special` affirmed entails `general` affirmed, slot by slot."""
    optional = ("number", "adjective", "place", "time")
    return (
        (general.subject, general.verb, general.tense) == (special.subject, special.verb, special.tense)
        and general.noun in (special.noun, HYPERNYMS.get(special.noun))
        and all(getattr(general, slot) in (None, getattr(special, slot)) for slot in optional)
    )


def exclusive(one: Claim, other: Claim) -> bool:
    """Whether both cannot be true of the same event."""
    return (
        OPPOSITE_VERBS[one.verb] == other.verb
        or (one.adjective is not None and OPPOSITE_ADJECTIVES[one.adjective] == other.adjective)
        or (None not in (one.number, other.number) and one.number != other.number)
    )


def label_by_definition(premise: Claim, hypothesis: Claim) -> str:
    if premise.negated:
        follows = broader(premise, hypothesis)
        return ("entailment" if hypothesis.negated else "contradiction") if follows else "neutral"
    if exclusive(premise, hypothesis):
        return "entailment" if hypothesis.negated else "contradiction"
    if broader(hypothesis, premise):
        return "contradiction" if hypothesis.negated else "entailment"
    return "neutral"


def test_labels_follow_from_the_claims():
    for premise, hypothesis, label in generate_claims("train", 6000, seed=3):
        assert label == label_by_definition(premise, hypothesis), (premise, hypothesis)


def test_labels_are_balanced_and_examples_reproducible():
    examples = list(generate("sw", "validation", 600, seed=5))
    assert Counter(example["label"] for example in examples) == dict.fromkeys(LABELS, 200)
    assert examples == list(generate("sw", "validation", 600, seed=5))
    assert examples != list(generate("sw", "validation", 600, seed=6))


def test_a_shorter_run_is_the_beginning_of_a_longer_one():
    assert list(generate("en", "test", 50, seed=1)) == list(generate("en", "test", 80, seed=1))[:50]


def test_languages_are_translations_of_each_other():
    labels = {
        language: [example["label"] for example in generate(language, "test", 300, seed=2)] for language in LANGUAGES
    }
    assert len(set(map(tuple, labels.values()))) == 1


def test_no_event_is_in_two_splits_and_no_pair_occurs_twice():
    pairs = {
        split: [(example["premise"], example["hypothesis"]) for example in generate("en", split, 4000, seed)]
        for seed, split in enumerate(SPLITS)
    }
    for split in SPLITS:
        assert len(set(pairs[split])) == len(pairs[split])
    assert not set(pairs["train"]) & set(pairs["test"])
    assert not set(pairs["train"]) & set(pairs["validation"])
    assert not set(pairs["validation"]) & set(pairs["test"])


@pytest.mark.parametrize("sentence", [0, 1])
def test_every_label_has_the_same_marginals(sentence: int):
    """Of negation, of how many details are given, and of each detail's presence: within 2.5 points."""
    rates = {label: Counter() for label in LABELS}
    count = 24_000
    for *claims, label in generate_claims("train", count, seed=0):
        claim = claims[sentence]
        present = [slot for slot in ("number", "adjective", "place", "time") if getattr(claim, slot) is not None]
        rates[label].update([*present, f"{len(present)} details"])
        rates[label].update(["negated"] * claim.negated + ["kind"] * (claim.noun in HYPERNYMS))
    for feature in set().union(*rates.values()):
        counts = [rates[label][feature] / (count / 3) for label in LABELS]
        assert max(counts) - min(counts) < 0.025, (feature, counts)


@cache
def examples(language: str, split: str, count: int) -> list[dict[str, str]]:
    return list(generate(language, split, count, seed=0))


def accuracy(views, language: str) -> float:
    train, test = examples(language, "train", 8000), examples(language, "test", 2000)
    vectorisers = [CountVectorizer(ngram_range=(1, 2), lowercase=False, min_df=3) for _ in views]
    seen = hstack([v.fit_transform(map(view, train)) for v, view in zip(vectorisers, views, strict=True)])
    held_out = hstack([v.transform(map(view, test)) for v, view in zip(vectorisers, views, strict=True)])
    classifier = LogisticRegression(C=0.03, max_iter=100)
    classifier.fit(seen.tocsr(), [example["label"] for example in train])
    return classifier.score(held_out.tocsr(), [example["label"] for example in test])


@pytest.mark.parametrize(
    "views",
    [
        pytest.param([lambda e: e["hypothesis"]], id="hypothesis only"),
        pytest.param([lambda e: e["premise"]], id="premise only"),
        pytest.param([lambda e: e["premise"], lambda e: e["hypothesis"]], id="two bags of n-grams"),
        pytest.param([lambda e: e["premise"] + " " + e["hypothesis"]], id="one bag of n-grams"),
    ],
)
@pytest.mark.parametrize("language", ["en", "sw"])
def test_a_bag_of_words_is_at_chance(views, language: str):
    assert accuracy(views, language) <= 0.42
