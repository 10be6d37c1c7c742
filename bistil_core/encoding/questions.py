"""A question and its context as windows: the question whole, the context in overlapping parts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class QuestionWindow:
    """One part of a context with the question before it.

    Attributes:
        example: index of the question.
        inputs: what the tokenizer returns for a model: input_ids, attention_mask, for some token_type_ids.
        first: index of the first token of the context.
        offsets: start and end, in the context's characters, of each token of the part.
    """

    example: int
    inputs: dict[str, list[int]]
    first: int
    offsets: list[tuple[int, int]]


def question_windows(
    questions: Sequence[str], contexts: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> Iterator[QuestionWindow]:
    """The windows of all questions, in order.

    Windows overlap by a third of their length (the paper's 128 of 384 tokens), or by what half of the room beside the
    question allows. A question is cut to half of the length at most.
    """
    for example, (question, context) in enumerate(zip(questions, contexts, strict=True)):
        question = _cut(question, tokenizer, max_length // 2)
        beside = len(tokenizer(question, "")["input_ids"])
        encoded = tokenizer(
            question,
            context,
            truncation="only_second",
            max_length=max_length,
            stride=min(max_length // 3, (max_length - beside) // 2),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        for window in range(len(encoded["input_ids"])):
            part = [place for place, sequence in enumerate(encoded.sequence_ids(window)) if sequence == 1]
            yield QuestionWindow(
                example=example,
                inputs={
                    name: encoded[name][window]
                    for name in ("input_ids", "attention_mask", "token_type_ids")
                    if name in encoded
                },
                first=part[0] if part else 0,
                offsets=[tuple(encoded["offset_mapping"][window][place]) for place in part],
            )


def _cut(question: str, tokenizer: PreTrainedTokenizerBase, tokens: int) -> str:
    offsets = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return question if len(offsets) <= tokens else question[: offsets[tokens - 1][1]]


def tokens_of_answer(window: QuestionWindow, start: int, end: int) -> tuple[int, int] | None:
    """First and last token (indices into the window) of the characters `start` to `end`; None if not all are there."""
    inside = [
        place for place, (begin, stop) in enumerate(window.offsets) if begin < end and stop > start and stop > begin
    ]
    if not inside or window.offsets[inside[0]][0] > start or window.offsets[inside[-1]][1] < end:
        return None
    return window.first + inside[0], window.first + inside[-1]
