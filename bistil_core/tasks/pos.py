"""Part-of-speech tagging: words in, one universal part of speech each out (Universal Dependencies).

The head is the model family's own for token classification: one layer on each word's first sub-word.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bistil_core.data.formats.dp import UPOS
from bistil_core.encoding.word_labels import (
    distilled_word_labels,
    encode_word_labels,
    joined,
    predict_word_labels,
    word_label_collator,
)
from bistil_core.task import Task, load_tagger, pipeline_usage


def load_model(folder: str | Path, **overrides) -> PreTrainedModel:
    """The folder's encoder with a layer that tags each token."""
    return load_tagger(folder, UPOS, **overrides)


def encode(examples: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Dataset:
    """Sentences with a tag at each first sub-word; those that are too long are read in several windows."""
    return encode_word_labels(examples["words"].to_pylist(), examples["upos"].to_pylist(), tokenizer, max_length)


def count(predictions: Sequence[list[int]], examples: pa.Table, rows: Dataset, language: str) -> np.ndarray:
    """Each sentence's words that are tagged right, and its words, (examples, 2)."""
    pairs = zip(joined(predictions, rows, len(examples)), examples["upos"].to_pylist(), strict=True)
    return np.array([(sum(map(int.__eq__, predicted, gold)), len(gold)) for predicted, gold in pairs], dtype=np.float64)


def metrics(totals: np.ndarray) -> dict[str, np.ndarray]:
    """The share of words that are tagged right."""
    return {"accuracy": totals[..., 0] / totals[..., 1]}


def scored(totals: np.ndarray) -> dict[str, int]:
    """The number of words."""
    return {"words": int(totals[1])}


TASK = Task(
    name="pos",
    metric="accuracy",
    gold=("labels",),
    load_model=load_model,
    encode=encode,
    collator=word_label_collator,
    distilled=distilled_word_labels,
    predict=predict_word_labels,
    count=count,
    metrics=metrics,
    scored=scored,
    by_label=("classifier.weight", "classifier.bias"),
    pipeline="token-classification",
    usage=pipeline_usage("token-classification", 'model("a sentence")'),
)
