"""Extractive question answering: a question and its context in, a span of the context out (SQuAD v1.1, XQuAD).

The head is the model family's own for question answering: one layer that scores every token as the answer's start
and as its end. A long context is read in overlapping windows; the answer is the best span of all of them.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import Dataset
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForQuestionAnswering, PreTrainedModel, PreTrainedTokenizerBase
from transformers.modeling_outputs import ModelOutput

from bistil_core.decoding.answers import best_span, exact_match, token_f1
from bistil_core.encoding.padding import padding_collator, ragged
from bistil_core.encoding.questions import question_windows, tokens_of_answer
from bistil_core.task import Task, load_configured, predicted

IMPOSSIBLE = -1e9
"""The score of a token that cannot begin or end an answer: finite, so that 0 times it is 0."""

NOWHERE = 0
"""The position, that of the first token, which stands for an answer that a window does not have."""

Span = tuple[int, int, float]
"""First and last token in the context's part of a window, and the sum of their scores."""


def load_model(folder: str | Path, **overrides) -> PreTrainedModel:
    """The folder's encoder with a layer that scores starts and ends."""
    return load_configured(AutoModelForQuestionAnswering, folder, **overrides)


def encode(examples: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Dataset:
    """Windows with the first gold answer's first and last token; both are NOWHERE where it is not wholly inside.

    `possible` is 1 for the tokens at which an answer may begin or end: the context's, and NOWHERE.
    """
    return ragged(_rows(examples, tokenizer, max_length))


def _rows(examples: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Iterator[dict[str, Any]]:
    texts, starts = examples["answer_texts"].to_pylist(), examples["answer_starts"].to_pylist()
    questions, contexts = examples["question"].to_pylist(), examples["context"].to_pylist()
    for window in question_windows(questions, contexts, tokenizer, max_length):
        start = starts[window.example][0]
        inside = tokens_of_answer(window, start, start + len(texts[window.example][0]))
        first, last = inside or (NOWHERE, NOWHERE)
        possible = [0] * len(window.inputs["input_ids"])
        possible[window.first : window.first + len(window.offsets)] = [1] * len(window.offsets)
        possible[NOWHERE] = 1
        yield {
            **window.inputs,
            "start_positions": first,
            "end_positions": last,
            "possible": possible,
            "example": window.example,
            "token_starts": [start for start, _ in window.offsets],
            "token_ends": [end for _, end in window.offsets],
        }


def collator(tokenizer: PreTrainedTokenizerBase) -> Callable[[list[dict]], dict[str, Tensor]]:
    """Pads such rows into batches."""
    return padding_collator(tokenizer, start_positions=0, end_positions=0, possible=0)


def distilled(outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[tuple[Tensor, None]]:
    """Each window's distributions over starts and over ends, (B, L); the question and padding have no part in them."""
    impossible = batch["possible"] == 0
    return [(scores.masked_fill(impossible, IMPOSSIBLE), None) for scores in (outputs.start_logits, outputs.end_logits)]


def gold_loss(outputs: ModelOutput, batch: dict[str, Tensor]) -> Tensor:
    """Mean of the cross-entropies of the first and the last token, over the tokens that may be either.

    Not the head's own, which lets padding and the question compete: how long a batch is would matter.
    """
    (starts, _), (ends, _) = distilled(outputs, batch)
    return (
        functional.cross_entropy(starts, batch["start_positions"])
        + functional.cross_entropy(ends, batch["end_positions"])
    ) / 2


def predict(outputs: ModelOutput, batch: dict[str, Tensor]) -> list[Span]:
    """The best span of each window's part of the context."""
    possible = batch["possible"].bool().cpu().numpy().copy()
    possible[:, NOWHERE] = False
    scores = (outputs.start_logits.float().cpu().numpy(), outputs.end_logits.float().cpu().numpy())
    return [
        best_span(start[inside], end[inside]) if inside.any() else (0, 0, -np.inf)
        for start, end, inside in zip(*scores, possible, strict=True)
    ]


def count(predictions: Sequence[Span], examples: pa.Table, rows: Dataset, language: str) -> np.ndarray:
    """Each question's exact match and F1 against its best gold answer, and 1, (examples, 3)."""
    texts = answers(predictions, examples["context"].to_pylist(), rows)
    gold = examples["answer_texts"].to_pylist()
    return np.array(
        [
            (exact_match(text, wanted, language), token_f1(text, wanted, language), 1.0)
            for text, wanted in zip(texts, gold, strict=True)
        ]
    )


def answers(predictions: Sequence[Span], contexts: Sequence[str], rows: Dataset) -> list[str]:
    """The text of each question's best span over all of its windows."""
    best = np.full(len(contexts), -np.inf)
    texts = [""] * len(contexts)
    windows = zip(rows["example"], rows["token_starts"], rows["token_ends"], strict=True)
    for (first, last, score), (example, starts, ends) in zip(predictions, windows, strict=True):
        if score > best[example]:
            best[example] = score
            texts[example] = contexts[example][starts[first] : ends[last]]
    return texts


def answer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[str],
    contexts: Sequence[str],
    max_length: int = 384,
) -> list[str]:
    """The answer to each question, a part of its context; "" where the context has no token."""
    unanswered = {"answer_texts": [[""]] * len(questions), "answer_starts": [[0]] * len(questions)}
    table = pa.table({"question": questions, "context": contexts, **unanswered})
    rows = encode(table, tokenizer, max_length)
    return answers(predicted(TASK, model, tokenizer, rows), contexts, rows)


def metrics(totals: np.ndarray) -> dict[str, np.ndarray]:
    """Mean F1 and mean exact match."""
    return {"f1": totals[..., 1] / totals[..., 2], "exact_match": totals[..., 0] / totals[..., 2]}


def scored(totals: np.ndarray) -> dict[str, int]:
    """The number of questions."""
    return {"questions": int(totals[2])}


TASK = Task(
    name="qa",
    metric="f1",
    gold=("start_positions", "end_positions"),
    load_model=load_model,
    encode=encode,
    collator=collator,
    distilled=distilled,
    gold_loss=gold_loss,
    predict=predict,
    count=count,
    metrics=metrics,
    scored=scored,
    pipeline=None,
    usage="""from transformers import AutoModelForQuestionAnswering, AutoTokenizer
from bistil_core.tasks.qa import answer  # transformers has no pipeline for this any more

folder = "path/to/this/folder"
model, tokenizer = AutoModelForQuestionAnswering.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
answer(model, tokenizer, ["Who wrote it?"], ["It was written by Ngugi."])""",
    aside=("possible",),
)
