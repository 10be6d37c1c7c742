"""Natural language inference: premise and hypothesis in, one of three labels out (MultiNLI, XNLI, AmericasNLI).

The head is the model family's own for sequence classification: two layers on the first token.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from datasets import Dataset
from torch import Tensor
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.modeling_outputs import ModelOutput

from bistil_core.data.formats.nli import LABELS
from bistil_core.task import Task, load_configured, pipeline_usage


def load_model(folder: str | Path, **overrides) -> PreTrainedModel:
    """The folder's encoder with a three-way classification head."""
    return load_configured(
        AutoModelForSequenceClassification,
        folder,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
        **overrides,
    )


def encode(examples: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Dataset:
    """Sentence pairs; the longer sentence is truncated first."""
    encoded = tokenizer(
        examples["premise"].to_pylist(),
        examples["hypothesis"].to_pylist(),
        truncation="longest_first",
        max_length=max_length,
    )
    return Dataset.from_dict({**encoded, "labels": examples["label"].to_pylist()})


def distilled(outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[tuple[Tensor, None]]:
    """One distribution per example, (B, 3)."""
    return [(outputs.logits, None)]


def predict(outputs: ModelOutput, batch: dict[str, Tensor]) -> list[int]:
    """The likeliest label of each example."""
    return outputs.logits.argmax(dim=-1).tolist()


def count(predictions: Sequence[int], examples: pa.Table, rows: Dataset, language: str) -> np.ndarray:
    """Each example's one entry of the confusion matrix: (examples, 9), gold label times 3 plus predicted label."""
    cells = examples["label"].to_numpy() * len(LABELS) + np.asarray(predictions)
    return np.eye(len(LABELS) ** 2)[cells]


def metrics(totals: np.ndarray) -> dict[str, np.ndarray]:
    """Accuracy, and F1 averaged over the three labels (0 for a label that neither is nor was predicted)."""
    confusion = totals.reshape(*totals.shape[:-1], len(LABELS), len(LABELS))
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    seen = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    f1 = np.divide(2 * right, seen, out=np.zeros_like(right), where=seen > 0)
    return {"accuracy": right.sum(axis=-1) / confusion.sum(axis=(-2, -1)), "macro_f1": f1.mean(axis=-1)}


def scored(totals: np.ndarray) -> dict[str, int]:
    """The number of sentence pairs."""
    return {"pairs": int(totals.sum())}


TASK = Task(
    name="nli",
    metric="accuracy",
    gold=("labels",),
    load_model=load_model,
    encode=encode,
    collator=DataCollatorWithPadding,
    distilled=distilled,
    predict=predict,
    count=count,
    metrics=metrics,
    scored=scored,
    by_label=("classifier.weight", "classifier.bias", "out_proj.weight", "out_proj.bias"),
    pipeline="text-classification",
    usage=pipeline_usage("text-classification", 'model({"text": premise, "text_pair": hypothesis})'),
)
