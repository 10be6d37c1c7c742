"""Questions on short reports of several events: who, what, where, when, answered by a phrase of the report."""

from collections.abc import Iterator
from random import Random
from typing import Any

from bistil_core.miniature.languages import realise
from bistil_core.miniature.languages.sentence import Sentence, text
from bistil_core.miniature.splits import Split, draw_scene_of
from bistil_core.miniature.world import DETAILS, Scene, draw_details

# en, sw, tr, es and id ask in the place where the answer would stand.
_QUESTION_WORDS = {
    "subject": {"en": "who", "sw": "nani", "tr": "kim", "es": "quién", "id": "siapa"},
    "noun": {"en": "what", "sw": "nini", "tr": "ne", "es": "qué", "id": "apa"},
    "place": {"en": "where", "sw": "wapi", "tr": "nerede", "es": "dónde", "id": "di mana"},
    "time": {"en": "when", "sw": "lini", "tr": "ne zaman", "es": "cuándo", "id": "kapan"},
}
_OBJECT = ("number", "adjective", "noun")
_EVENTS = 3


def generate(language: str, split: Split, examples: int, seed: int) -> Iterator[dict[str, Any]]:
    """Questions on reports of three events, of which one is asked about; no event of one split is in another.

    Args:
        language: a code of `languages.LANGUAGES`.
        split: train, validation or test.
        examples: how many.
        seed: of the drawing.

    Yields:
        {"id", "context", "question", "answers"}, as SQuAD has them, with one answer each.

    Raises:
        BistilError: the miniature does not speak `language`.
    """
    random = Random(f"qa {split} {seed}")
    for number in range(examples):
        asked = random.choice(tuple(_QUESTION_WORDS))
        claims = [scene.claim(_told(random, asked)) for scene in _scenes(split, random)]
        sentences = [realise(claim, language) for claim in claims]
        chosen = random.randrange(_EVENTS)
        asked_for = _OBJECT if asked == "noun" else (asked,)
        start = sum(len(text(sentence)) + 1 for sentence in sentences[:chosen])
        start += _length(sentences[chosen], before=asked_for)
        answer = " ".join(phrase for slot, phrase in sentences[chosen] if slot in asked_for)
        yield {
            "id": f"{split}-{number}",
            "context": " ".join(map(text, sentences)),
            "question": _question(sentences[chosen], asked_for, _QUESTION_WORDS[asked][language]),
            "answers": [{"text": answer, "answer_start": start}],
        }


def _scenes(split: Split, random: Random) -> list[Scene]:
    """Events that share neither subject nor verb nor object, so that each question fits one alone."""
    scenes: list[Scene] = []
    while len(scenes) < _EVENTS:
        scene = draw_scene_of(split, random)
        if not any({scene.subject, scene.verb, scene.noun} & {each.subject, each.verb, each.noun} for each in scenes):
            scenes.append(scene)
    return scenes


def _told(random: Random, asked: str) -> frozenset[str]:
    """Details of a claim, among them the one that may be asked for; the object is always named in particular."""
    return draw_details(random, random.randint(1, 2)) | {"kind"} | ({asked} & set(DETAILS))


def _length(sentence: Sentence, before: tuple[str, ...]) -> int:
    """Characters of the sentence before the first phrase of these slots, and the space that follows them."""
    told = 0
    for slot, phrase in sentence:
        if slot in before:
            return told
        told += len(phrase) + 1
    raise ValueError(f"no {before} in {sentence}")


def _question(sentence: Sentence, asked_for: tuple[str, ...], word: str) -> str:
    """The sentence with a question word where the answer stands; what answers stands together in every language."""
    first = next(slot for slot, _ in sentence if slot in asked_for)
    told = [word if slot == first else phrase for slot, phrase in sentence if slot == first or slot not in asked_for]
    return " ".join(told) + "?"
