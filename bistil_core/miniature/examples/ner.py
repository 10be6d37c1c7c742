"""Sentences with tagged entities: persons by name or by what they are (PER), institutions (ORG), other places (LOC).

Names are the same words in all languages, so that they alone would need no transfer; the words for persons and places
are not.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from bistil_core.miniature.annotation import annotated
from bistil_core.miniature.splits import Split, draw_scene_of
from bistil_core.miniature.world import DETAILS, draw_details

INSTITUTIONS = ("at the market", "at school", "at church")
_NEGATED = 0.15


def generate(language: str, split: Split, examples: int, seed: int) -> Iterator[dict[str, Any]]:
    """Sentences of one claim each; no event of one split is told in another.

    Args:
        language: a code of `languages.LANGUAGES`.
        split: train, validation or test.
        examples: how many.
        seed: of the drawing.

    Yields:
        {"tokens", "tags"}: lists with an entry per word; an entity is a word, without its article or preposition.

    Raises:
        BistilError: the miniature does not speak `language`.
    """
    random = Random(f"ner {split} {seed}")
    for _ in range(examples):
        scene = draw_scene_of(split, random)
        claim = scene.claim(draw_details(random, random.randint(1, len(DETAILS))), random.random() < _NEGATED)
        kinds = {"subject": "B-PER", "place": "B-ORG" if claim.place in INSTITUTIONS else "B-LOC"}
        words = annotated(claim, language)
        yield {
            "tokens": [word.text for word in words],
            "tags": [kinds.get(word.slot, "O") if word.is_head else "O" for word in words],
        }
