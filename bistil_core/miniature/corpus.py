"""Unlabelled text: short reports that tell an event, and tell it again in other words."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from bistil_core.miniature.languages import realise
from bistil_core.miniature.languages.sentence import text
from bistil_core.miniature.world import DETAILS, Claim, Scene, contradict, draw_details, draw_scene

_ABSENT_EVENTS = 0.15
_DENIALS = 0.45


def _deny(random: Random, scene: Scene) -> Claim:
    """A true negation: the scene with some value replaced by one that excludes it."""
    slot = random.choice(("verb", "verb", "adjective", "number"))
    details = draw_details(random, random.randint(1, 3))
    if slot != "verb":
        details |= {slot}
    return replace(contradict(scene.claim(details), slot, random), negated=True)


def _report(random: Random) -> list[Claim]:
    """Two claims, rarely three, about one event, all true together."""
    scene = draw_scene(random)
    if random.random() < _ABSENT_EVENTS:
        # What did not happen at all did not happen in any particular way.
        general = draw_details(random, random.randint(1, 3))
        special = general | draw_details(random, random.randint(1, 2))
        return [scene.claim(details, negated=True) for details in (general, special)]
    claims = [scene.claim(draw_details(random, random.randint(2, len(DETAILS))))]
    for _ in range(random.choice((1, 1, 2))):
        if random.random() < _DENIALS:
            claims.append(_deny(random, scene))
        else:
            claims.append(scene.claim(draw_details(random, random.randint(1, 3))))
    random.shuffle(claims)
    return claims


def draw_document(random: Random) -> list[Claim]:
    """The claims of one document: reports of one event or of two."""
    return [claim for _ in range(random.choice((1, 2))) for claim in _report(random)]


def generate_corpus(language: str, documents: int, seed: int) -> Iterator[str]:
    """Monolingual documents of two to six sentences.

    The same seed draws other events in every language: the corpora are not translations of each other.

    Args:
        language: a code of `languages.LANGUAGES`.
        documents: how many.
        seed: of the drawing.

    Raises:
        BistilError: the miniature does not speak `language`.
    """
    random = Random(f"corpus {language} {seed}")
    for _ in range(documents):
        yield " ".join(text(realise(claim, language)) for claim in draw_document(random))
