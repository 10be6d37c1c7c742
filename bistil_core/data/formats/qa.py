"""Extractive question answering: a question on a context, and where its gold answers stand in it."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from bistil_core.data.format import FieldError, Format
from bistil_core.data.readers.squad import read_squad
from bistil_core.data.text import clean


def normalise(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """One question with all of its gold answers; None where it has none.

    The context stays exactly as it is, for offsets count its characters (Unicode code points, from 0); the
    question is cleaned. An answer that does not stand at its offset moves to where it stands nearest, the earlier
    place of two.

    Args:
        values: `id` (text or a number), `context`, `question`, and `answers`: a list of {text, answer_start}, or
            {text, answer_start} with a list each.

    Raises:
        FieldError: a value of another type, an empty answer, an answer that its context has not, with the
            question's id.
    """
    number = isinstance(values["id"], int) and not isinstance(values["id"], bool)
    name = str(values["id"]) if number else _text("id", values["id"])
    context = _text(f"context of question {name!r}", values["context"])
    question = _text(f"question of {name!r}", values["question"])
    answers = _answers(name, values["answers"])
    if not answers:
        return None
    return {
        "id": name,
        "context": context,
        "question": clean(question),
        "answer_texts": [text for text, _ in answers],
        "answer_starts": [_start(name, context, text, start) for text, start in answers],
    }


def changes(values: Mapping[str, Any], example: Mapping[str, Any]) -> dict[str, int]:
    """How many answers moved."""
    given = (start for _, start in _answers(example["id"], values["answers"]))
    return {"answers_moved": sum(a != b for a, b in zip(given, example["answer_starts"], strict=True))}


def nearest_occurrence(context: str, text: str, start: int) -> int | None:
    """Where `text` stands in `context` nearest to `start`, the earlier place of two; None where it does not."""
    before = context.rfind(text, 0, max(0, start + len(text)))
    after = context.find(text, max(0, start))
    places = [place for place in (before, after) if place >= 0]
    return min(places, key=lambda place: abs(place - start), default=None)


def _start(name: str, context: str, text: str, start: int) -> int:
    if start >= 0 and context.startswith(text, start):
        return start
    place = nearest_occurrence(context, text, start)
    if place is None:
        raise FieldError(f"an answer to question {name!r}", text, "text that stands in its context")
    return place


def _answers(name: str, answers: Any) -> list[tuple[str, int]]:
    """Text and start of each answer."""
    field = f"answers to question {name!r}"
    allowed = "[{text: ..., answer_start: ...}, ...] or {text: [...], answer_start: [...]}"
    if isinstance(answers, dict):
        texts, starts = answers.get("text"), answers.get("answer_start")
        if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
            raise FieldError(field, answers, allowed)
        pairs = list(zip(texts, starts, strict=True))
    elif isinstance(answers, list):
        if not all(isinstance(answer, dict) for answer in answers):
            raise FieldError(field, answers, allowed)
        pairs = [(answer.get("text"), answer.get("answer_start")) for answer in answers]
    else:
        raise FieldError(field, answers, allowed)
    for text, start in pairs:
        if not isinstance(text, str) or not text.strip():
            raise FieldError(f"an answer to question {name!r}", text, "text that stands in its context")
        if not isinstance(start, int) or isinstance(start, bool):
            raise FieldError(f"answer_start to question {name!r}", start, "a number of characters")
    return pairs


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise FieldError(field, value, "text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise FieldError(field, value, "text without lone surrogates, which UTF-8 cannot hold") from None
    return value


FORMAT = Format(
    schema=pa.schema(
        [
            ("id", pa.string()),
            ("context", pa.string()),
            ("question", pa.string()),
            ("answer_texts", pa.list_(pa.string())),
            ("answer_starts", pa.list_(pa.int32())),
        ]
    ),
    normalise=normalise,
    changes=changes,
    raw_fields=("id", "context", "question", "answers"),
    readers={".json": read_squad},
    left_out="without a gold answer",
)
