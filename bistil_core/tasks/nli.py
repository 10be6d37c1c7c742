"""Natural language inference: premise and hypothesis in, one of three labels out (MultiNLI, XNLI, AmericasNLI).

The head is the model family's own for sequence classification: two layers on the first token.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from datasets import Dataset
from sklearn.metrics import accuracy_score, f1_score
from torch import Tensor
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.modeling_outputs import ModelOutput

from bistil_core.data.formats.nli import LABELS
from bistil_core.tasks import Task, load_configured


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


def metrics(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Accuracy, and F1 averaged over the three labels."""
    predicted = logits.argmax(axis=-1)
    return {
        "accuracy": float(accuracy_score(labels, predicted)),
        "macro_f1": float(f1_score(labels, predicted, average="macro", labels=range(len(LABELS)), zero_division=0.0)),
    }


TASK = Task(
    name="nli",
    metric="accuracy",
    load_model=load_model,
    encode=encode,
    collator=DataCollatorWithPadding,
    distilled=distilled,
    metrics=metrics,
    pipeline="text-classification",
    usage='model({"text": premise, "text_pair": hypothesis})',
)
