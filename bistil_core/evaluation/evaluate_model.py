"""Scores of one finished model on one language's test data."""

import logging
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from torch.utils.data import DataLoader
from transformers import PreTrainedModel

from bistil_core.evaluation.finished import load_finished
from bistil_core.evaluation.intervals import bootstrap_interval
from bistil_core.files import write_json
from bistil_core.models.loading import load_tokenizer
from bistil_core.settings.tasks import EvaluateSettings
from bistil_core.tasks import task_named
from bistil_core.threads import limit_threads

LOGGER = logging.getLogger("bistil")


def evaluate_model(
    model: Path,
    sft: Path | None,
    test: Path,
    output: Path,
    task: str,
    max_length: int,
    settings: EvaluateSettings,
    threads: int = 1,
) -> None:
    """Score a model on a test set and write its metrics with the primary one's confidence interval.

    Args:
        model: folder of the teacher, or of the phase-1 student.
        sft: the student's sparse fine-tuning; None for a model that has its head in the folder.
        test: Parquet file of labelled examples.
        output: JSON file: metric, score, interval, all metrics, number of examples.
        max_length: tokens per example, as in training.
    """
    limit_threads(threads)
    chosen = task_named(task)
    examples = chosen.encode(pq.read_table(test), load_tokenizer(model), max_length)
    collate = chosen.collator(load_tokenizer(model))
    loader = DataLoader(examples, settings.batch_size, collate_fn=collate)
    predictions, labels = predict(load_finished(chosen, model, sft), loader)

    def primary(predictions: np.ndarray, labels: np.ndarray) -> float:
        return chosen.metrics(predictions, labels)[chosen.metric]

    metrics = chosen.metrics(predictions, labels)
    interval = bootstrap_interval(primary, predictions, labels, settings.confidence, settings.bootstrap_samples)
    LOGGER.info(
        "%s %.4f (%.0f %% interval %.4f to %.4f) on %d examples",
        chosen.metric, metrics[chosen.metric], 100 * settings.confidence, *interval, len(labels),
    )  # fmt: skip
    write_json(
        output,
        {
            "task": task,
            "metric": chosen.metric,
            "score": metrics[chosen.metric],
            "interval": interval,
            "confidence": settings.confidence,
            "metrics": metrics,
            "examples": len(labels),
        },
    )


def predict(model: PreTrainedModel, loader: DataLoader) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels of all examples, in order, on a GPU where there is one."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device)
    logits, labels = [], []
    with torch.inference_mode():
        for batch in loader:
            labels.append(batch.pop("labels").numpy())
            outputs = model(**{name: value.to(device) for name, value in batch.items()})
            logits.append(outputs.logits.float().cpu().numpy())
    return np.concatenate(logits), np.concatenate(labels)
