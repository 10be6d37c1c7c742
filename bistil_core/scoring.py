"""A model's predictions on encoded examples, and what they score."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bistil_core.processes import dealt, gathered
from bistil_core.task import Task


@dataclass(frozen=True)
class LabelledData:
    """Examples of a task in one language, and the same encoded.

    Attributes:
        examples: the table that was encoded.
        rows: what `task.encode` made of it.
        collate: a list of rows -> a batch of padded tensors.
        language: code of the language that the examples are in.
    """

    task: Task
    examples: pa.Table
    rows: Dataset
    collate: Callable[[list[dict[str, Any]]], dict[str, Tensor]]
    language: str

    @classmethod
    def encoded(
        cls, task: Task, examples: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int, language: str
    ) -> "LabelledData":
        """Encode a table of examples, at most `max_length` tokens to a row."""
        return cls(task, examples, task.encode(examples, tokenizer, max_length), task.collator(tokenizer), language)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, int32 (rows,)."""
        return pc.list_value_length(self.rows.data.column("input_ids")).to_numpy()


def score_model(model: PreTrainedModel, data: LabelledData, batch_size: int) -> tuple[np.ndarray, float]:
    """Let a model predict, on the device that it is on; processes that train together share the batches out.

    Returns:
        What each example adds to the totals of `data.task.metrics`, float64 (examples, K), and the mean over rows of
        the task's loss against the gold labels.
    """
    # The longest first: rows of one length make batches with little padding, and memory runs out at once or never.
    order = np.argsort(-data.lengths, kind="stable")
    batches = [order[start : start + batch_size].tolist() for start in range(0, len(order), batch_size)]
    was_training, found = model.training, []
    model.eval()
    with torch.no_grad():
        for chosen in dealt(batches):
            batch = data.collate([data.rows[row] for row in chosen])
            batch = {name: value.to(model.device) for name, value in batch.items()}
            outputs = model(**data.task.inputs(batch, gold=True))
            found.append((float(data.task.gold_loss(outputs, batch)), data.task.predict(outputs, batch)))
    model.train(was_training)
    predictions: list[Any] = [None] * len(order)
    total = 0.0
    for chosen, (loss, predicted) in zip(batches, gathered(found), strict=True):
        total += loss * len(chosen)
        for row, prediction in zip(chosen, predicted, strict=True):
            predictions[row] = prediction
    return data.task.count(predictions, data.examples, data.rows, data.language), total / len(order)
