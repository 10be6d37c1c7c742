"""Sentences with their gold trees."""

from collections.abc import Iterator
from random import Random
from typing import Any

from bistil_core.miniature.annotation import annotated
from bistil_core.miniature.splits import Split, draw_scene_of
from bistil_core.miniature.world import DETAILS, draw_details

_NEGATED = 0.15


def generate(language: str, split: Split, examples: int, seed: int) -> Iterator[dict[str, Any]]:
    """Sentences of one claim each; no event of one split is told in another.

    Args:
        language: a code of `languages.LANGUAGES`.
        split: train, validation or test.
        examples: how many.
        seed: of the drawing.

    Yields:
        {"words", "heads", "relations", "upos"}: lists with an entry per word.

    Raises:
        BistilError: the miniature does not speak `language`.
    """
    random = Random(f"dp {split} {seed}")
    for _ in range(examples):
        scene = draw_scene_of(split, random)
        claim = scene.claim(draw_details(random, random.randint(1, len(DETAILS))), random.random() < _NEGATED)
        words = annotated(claim, language)
        yield {
            "words": [word.text for word in words],
            "heads": [word.head for word in words],
            "relations": [word.relation for word in words],
            "upos": [word.upos for word in words],
        }
