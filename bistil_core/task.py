"""What a task is: the one description that training and evaluation work with; the tasks are in `bistil_core/tasks/`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset
from torch import Tensor
from transformers import AutoModelForTokenClassification, PreTrainedModel, PreTrainedTokenizerBase
from transformers.modeling_outputs import ModelOutput

from bistil_core.errors import BistilError


def _own_loss(outputs: ModelOutput, batch: dict[str, Tensor]) -> Tensor:
    return outputs.loss


def _as_it_is(head: Mapping[str, Tensor]) -> tuple[Mapping[str, Tensor], dict[str, Any]]:
    return head, {}


@dataclass(frozen=True)
class Task:
    """What training and evaluation must know of a task.

    A table of examples is encoded into a data set of rows: one per example, or several where an example does not
    fit into one window. Scores are sums: every example has a few counts, and each metric is a function of their
    totals, so that resampled test sets are scored at the cost of an addition.

    Attributes:
        metric: the benchmark's primary metric, a key of what `metrics` returns, in 0..1, higher is better;
            checkpoints are selected by it.
        gold: the entries of a batch that hold the gold labels, which no teacher is shown.
        aside: the entries of a batch that no model reads.
        load_model: (folder, configuration overrides) -> the model with the task's head, fresh where the
            folder has none.
        encode: (table of examples, tokenizer, maximal length in tokens) -> rows: inputs, gold labels, and what
            `count` needs besides.
        collator: tokenizer -> a function that pads a list of rows into a batch of tensors.
        distilled: (outputs, batch) -> the logits that L_pred compares, each (..., C) with a (...) mask or None.
        predict: (outputs, batch) -> one prediction per row of the batch, on the CPU.
        count: (predictions, examples, rows, language) -> float64 (examples, K), what each example adds to the totals.
        metrics: totals (..., K) -> every metric of the task, each (...).
        scored: totals (K,) -> how many of what were scored, such as {"words": 25096}.
        pipeline: the transformers pipeline that serves the finished model; None where none does.
        gold_loss: (outputs, batch) -> the loss against the gold labels, by default the one among the outputs.
        decodings: other ways to predict from the same outputs, by the name that `benchmarks.<name>.decoding` gives.
        by_label: endings of the names of the head's parameters that have a row for each label.
        published_head: the head of a published sparse fine-tuning, by name -> the same under the names of the task's
            own, and the configuration values of a model that has it.
        usage: Python that uses the finished model in "path/to/this/folder", for its card.
    """

    name: str
    metric: str
    gold: tuple[str, ...]
    load_model: Callable[..., PreTrainedModel]
    encode: Callable[[pa.Table, PreTrainedTokenizerBase, int], Dataset]
    collator: Callable[[PreTrainedTokenizerBase], Callable[[list[dict[str, Any]]], dict[str, Tensor]]]
    distilled: Callable[[ModelOutput, dict[str, Tensor]], Sequence[tuple[Tensor, Tensor | None]]]
    predict: Callable[[ModelOutput, dict[str, Tensor]], list[Any]]
    count: Callable[[Sequence[Any], pa.Table, Dataset, str], np.ndarray]
    metrics: Callable[[np.ndarray], dict[str, np.ndarray]]
    scored: Callable[[np.ndarray], dict[str, int]]
    pipeline: str | None
    usage: str
    aside: tuple[str, ...] = ()
    by_label: tuple[str, ...] = ()
    published_head: Callable[[Mapping[str, Tensor]], tuple[Mapping[str, Tensor], dict[str, Any]]] = _as_it_is
    gold_loss: Callable[[ModelOutput, dict[str, Tensor]], Tensor] = _own_loss
    decodings: Mapping[str, Callable[[ModelOutput, dict[str, Tensor]], list[Any]]] = field(default_factory=dict)

    def decoded_by(self, decoding: str | None) -> "Task":
        """The same task with another `predict`, one of `decodings`; None: itself.

        Raises:
            BistilError: the task has no such decoding.
        """
        if decoding is None:
            return self
        if decoding not in self.decodings:
            allowed = ", ".join(self.decodings) or f"none, for {self.name} has one way only"
            raise BistilError(f"benchmarks: decoding is {decoding!r}; allowed: {allowed}; correct it or leave it out")
        return replace(self, predict=self.decodings[decoding])

    def inputs(self, batch: dict[str, Tensor], *, gold: bool) -> dict[str, Tensor]:
        """What a model reads of a batch, with or without the gold labels."""
        left_out = self.aside if gold else self.aside + self.gold
        return {name: value for name, value in batch.items() if name not in left_out}


def load_configured(model_class: type, folder: str | Path, **overrides: Any) -> PreTrainedModel:
    """`model_class.from_pretrained` for a local folder: safetensors, no network, no remote code."""
    return model_class.from_pretrained(str(folder), local_files_only=True, use_safetensors=True, **overrides)


def load_tagger(folder: str | Path, labels: Sequence[str], **overrides: Any) -> PreTrainedModel:
    """The folder's encoder with the family's own layer that gives each token one of `labels`."""
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}
    return load_configured(AutoModelForTokenClassification, folder, **names, **overrides)


def predicted(
    task: Task, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Iterable[dict[str, Any]]
) -> list[Any]:
    """The prediction of each unlabelled row, one after another, on the device that the model is on."""
    collate, predictions = task.collator(tokenizer), []
    model.eval()
    with torch.inference_mode():
        for row in rows:
            batch = {name: value.to(model.device) for name, value in collate([row]).items()}
            predictions += task.predict(model(**task.inputs(batch, gold=False)), batch)
    return predictions


def pipeline_usage(pipeline: str, call: str) -> str:
    """The `usage` of a task that a transformers pipeline serves."""
    return f'from transformers import pipeline\nmodel = pipeline("{pipeline}", model="path/to/this/folder")\n{call}'
