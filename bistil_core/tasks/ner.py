"""Named entity recognition: words in, spans of persons, organisations and locations out (CoNLL-2003, MasakhaNER).

The head is the model family's own for token classification: one layer on each word's first sub-word.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from datasets import Dataset
from seqeval.metrics.sequence_labeling import get_entities
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bistil_core.data.formats.ner import LABELS, TYPES
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
    return load_tagger(folder, LABELS, **overrides)


def encode(examples: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Dataset:
    """Sentences with a tag at each first sub-word; those that are too long are read in several windows."""
    return encode_word_labels(examples["tokens"].to_pylist(), examples["tags"].to_pylist(), tokenizer, max_length)


def count(predictions: Sequence[list[int]], examples: pa.Table, rows: Dataset, language: str) -> np.ndarray:
    """Each sentence's right, predicted and gold spans of every type, (examples, 3 * types).

    Spans are conlleval's: an I- tag that continues no entity of its type begins one.
    """
    counts = np.zeros((len(examples), len(TYPES), 3))
    pairs = zip(joined(predictions, rows, len(examples)), examples["tags"].to_pylist(), strict=True)
    for row, (predicted, gold) in zip(counts, pairs, strict=True):
        found, true = (set(get_entities([LABELS[tag] for tag in tags])) for tags in (predicted, gold))
        for column, spans in enumerate((found & true, found, true)):
            of_type = Counter(kind for kind, _, _ in spans)
            row[:, column] = [of_type[kind] for kind in TYPES]
    return counts.reshape(len(examples), -1)


def metrics(totals: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 of spans over all types, and F1 of each type; 0 where there is nothing to divide by."""
    by_type = totals.reshape(*totals.shape[:-1], len(TYPES), 3)
    right, predicted, gold = np.moveaxis(by_type.sum(axis=-2), -1, 0)
    found = {
        "f1": _ratio(2 * right, predicted + gold),
        "precision": _ratio(right, predicted),
        "recall": _ratio(right, gold),
    }
    for index, kind in enumerate(TYPES):
        right, predicted, gold = np.moveaxis(by_type[..., index, :], -1, 0)
        found[f"f1_{kind.lower()}"] = _ratio(2 * right, predicted + gold)
    return found


def scored(totals: np.ndarray) -> dict[str, int]:
    """The number of gold spans."""
    return {"spans": int(totals.reshape(-1, 3)[:, 2].sum())}


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


TASK = Task(
    name="ner",
    metric="f1",
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
    usage=pipeline_usage("token-classification", 'model(text, aggregation_strategy="first")'),
)
