"""Scores of one finished model on one language's test data."""

import logging
from pathlib import Path

import pyarrow.parquet as pq
import torch

from bistil_core.evaluation.finished import load_finished
from bistil_core.evaluation.intervals import bootstrap_interval
from bistil_core.files import write_json
from bistil_core.models.loading import load_tokenizer
from bistil_core.scoring import LabelledData, score_model
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
    language: str,
    max_length: int,
    settings: EvaluateSettings,
    threads: int = 1,
    language_sft: Path | None = None,
    decoding: str | None = None,
) -> None:
    """Score a model on a test set and write its metrics with the primary one's confidence interval.

    Args:
        model: folder of the teacher, of its base model, or of the phase-1 student.
        sft: the task's sparse fine-tuning of a base model or student; None for a model that has its head in the folder.
        test: Parquet file of labelled examples.
        output: JSON file: metric, score, interval, all metrics, number of examples, and of
            what the task counts besides, such as words.
        language: code of the language of the examples.
        max_length: tokens per example, as in training.
        language_sft: theta + phi_language + phi_task is scored where the base model is given; None: phi_language is 0.
        decoding: one of the task's `decodings`, in place of its own.
    """
    limit_threads(threads)
    chosen = task_named(task).decoded_by(decoding)
    data = LabelledData.encoded(chosen, pq.read_table(test), load_tokenizer(model), max_length, language)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    counts, _ = score_model(
        load_finished(chosen, model, sft, language_sft=language_sft).to(device), data, settings.batch_size
    )
    totals = counts.sum(axis=0)
    metrics = {name: float(value) for name, value in chosen.metrics(totals).items()}
    interval = bootstrap_interval(
        lambda totals: chosen.metrics(totals)[chosen.metric], counts, settings.confidence, settings.bootstrap_samples
    )
    LOGGER.info(
        "%s %.4f (%.0f %% interval %.4f to %.4f) on %d examples",
        chosen.metric, metrics[chosen.metric], 100 * settings.confidence, *interval, len(counts),
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
            "examples": len(counts),
            "scored": chosen.scored(totals),
        },
    )
