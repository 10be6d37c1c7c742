"""Sentence pairs whose label follows from what they say: entailment, neutral or contradiction.

Without negation a hypothesis that says less is entailed, one that says more is neutral, and one that gives the
verb, the adjective or the number a value that excludes the premise's contradicts it. A claim and its negation
contradict each other. What was denied in some detail is entailed or contradicted in just that detail; with another
detail it is neutral: who bought no apples today may have bought black apples.

Neither sentence alone gives its label away, nor do both as bags of words: every label has the same rates of
negation, of details and of values in either sentence.
"""

from collections.abc import Iterator
from random import Random

from bistil_core.miniature.languages import realise
from bistil_core.miniature.languages.sentence import text
from bistil_core.miniature.splits import Split, draw_scene_of
from bistil_core.miniature.world import DETAILS, Claim, Scene, contradict

LABELS = ("entailment", "neutral", "contradiction")

_AFFIRMED, _HYPOTHESIS_NEGATED, _PREMISE_NEGATED, _BOTH_NEGATED = ((False, False), (False, True),
                                                                   (True, False), (True, True))  # fmt: skip
# Every label negates 15 % of its premises and of its hypotheses.
_NEGATIONS = {
    "entailment": ((_AFFIRMED, 0.85), (_BOTH_NEGATED, 0.15)),
    "neutral": ((_AFFIRMED, 0.75), (_HYPOTHESIS_NEGATED, 0.10), (_PREMISE_NEGATED, 0.10), (_BOTH_NEGATED, 0.05)),
    "contradiction": ((_AFFIRMED, 0.70), (_HYPOTHESIS_NEGATED, 0.15), (_PREMISE_NEGATED, 0.15)),
}
# Pairs name no place: one million parameters do not learn to match Swahili's and Turkish's locatives well enough.
_DETAILS = tuple(detail for detail in DETAILS if detail != "place")
# Numbers of details in premise and hypothesis. Four would leave nothing to add.
_SIZES = ((1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3))
_SIZES_UNDER_NEGATION = ((1, 1), (2, 2), (3, 3))
# Most exclusions hide among otherwise agreeing details; where some are new besides, they exclude all the same.
_EXCLUSIONS_THAT_SAY_LESS = 0.85


def _draw_negation(random: Random, label: str) -> tuple[bool, bool]:
    kinds, rates = zip(*_NEGATIONS[label], strict=True)
    return random.choices(kinds, rates)[0]


def _draw_details(random: Random, premise_negated: bool, agreeing: bool) -> tuple[frozenset[str], frozenset[str]]:
    """Details of premise and hypothesis: the latter's are among the former's just if `agreeing`.

    Under a negated premise both have equally many: what agrees is the same, and follows in both directions.
    """
    sizes = random.choice(_SIZES_UNDER_NEGATION if premise_negated else _SIZES)
    hypothesis = frozenset(random.sample(_DETAILS, sizes[1]))
    while True:
        premise = frozenset(random.sample(_DETAILS, sizes[0]))
        if (hypothesis <= premise) == agreeing:
            return premise, hypothesis


def _pair(random: Random, scene: Scene, label: str) -> tuple[Claim, Claim]:
    premise_negated, hypothesis_negated = _draw_negation(random, label)
    excluding = label == "contradiction" and not (premise_negated or hypothesis_negated)
    agreeing = random.random() < _EXCLUSIONS_THAT_SAY_LESS if excluding else label != "neutral"
    premise_details, hypothesis_details = _draw_details(random, premise_negated, agreeing)
    premise = scene.claim(premise_details, premise_negated)
    hypothesis = scene.claim(hypothesis_details, hypothesis_negated)
    if excluding:
        shared = premise_details & hypothesis_details
        slot = random.choice(["verb", *(slot for slot in DETAILS[:2] if slot in shared)])
        hypothesis = contradict(hypothesis, slot, random)
    return premise, hypothesis


def generate_claims(split: Split, examples: int, seed: int) -> Iterator[tuple[Claim, Claim, str]]:
    """`examples` distinct (premise, hypothesis, label), before any language: what all translations share."""
    random = Random(f"nli {split} {seed}")
    seen: set[tuple[Claim, Claim]] = set()
    while len(seen) < examples:
        scene = draw_scene_of(split, random)
        label = LABELS[len(seen) % len(LABELS)]
        pair = _pair(random, scene, label)
        if pair not in seen:
            seen.add(pair)
            yield *pair, label


def generate(language: str, split: Split, examples: int, seed: int) -> Iterator[dict[str, str]]:
    """Labelled sentence pairs; for one split and seed those of all languages are translations of each other.

    No event of one split occurs in another, whatever the seeds, and no pair occurs twice.

    Args:
        language: a code of `languages.LANGUAGES`.
        split: train, validation or test.
        examples: how many.
        seed: of the drawing.

    Yields:
        {"premise", "hypothesis", "label"}, all str.

    Raises:
        BistilError: the miniature does not speak `language`.
    """
    for premise, hypothesis, label in generate_claims(split, examples, seed):
        yield {
            "premise": text(realise(premise, language)),
            "hypothesis": text(realise(hypothesis, language)),
            "label": label,
        }
