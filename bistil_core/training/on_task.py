"""What the task teacher and phase 2 share: examples in, lottery-ticket fine-tuning, a record out."""

import logging
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from torch.utils.data import Sampler
from transformers import PreTrainedModel, PreTrainedTokenizerBase, set_seed

from bistil_core.data.length_grouping import LengthGroupedBatches
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.scoring import LabelledData, score_model
from bistil_core.settings.optimisation import SparseOptimisation
from bistil_core.task import Task
from bistil_core.training.checkpoints import Checkpoints
from bistil_core.training.lottery_ticket import freeze, lottery_ticket
from bistil_core.training.objectives import Objective
from bistil_core.training.trainer import TrainingRecord, run_training

LOGGER = logging.getLogger("bistil")


@dataclass(frozen=True)
class TaskData:
    """Examples to learn from and to be validated on.

    Attributes:
        rows: what the batches index.
        batches: a number of steps -> that many batches.
        an_epoch: batches of one pass over all rows.
        collate: a list of rows -> a batch of padded tensors.
        score: model -> the metrics of its validation.
        examples: by language, of the training and of the validation.
        worn: what the trainer puts over the model for each batch; None for nothing.
    """

    rows: Any
    batches: Callable[[int], Sampler]
    an_epoch: int
    collate: Callable[[list[dict[str, Any]]], dict[str, torch.Tensor]]
    score: Callable[[PreTrainedModel], dict[str, float]]
    examples: dict[str, tuple[int, int]]
    worn: Any = None


def encoded_splits(
    task: Task, data: Path, tokenizer: PreTrainedTokenizerBase, max_length: int, language: str
) -> tuple[LabelledData, LabelledData]:
    """The examples of a folder's train.parquet and validation.parquet, encoded."""
    train, validation = (
        LabelledData.encoded(task, pq.read_table(data / f"{split}.parquet"), tokenizer, max_length, language)
        for split in ("train", "validation")
    )
    return train, validation


def in_one_language(
    task: Task,
    data: Path,
    language: str,
    tokenizer: PreTrainedTokenizerBase,
    settings: SparseOptimisation,
    seed: int,
) -> TaskData:
    """The examples of a folder of train.parquet and validation.parquet."""
    train, validation = encoded_splits(task, data, tokenizer, settings.max_length, language)
    lengths = train.lengths

    def score(model: PreTrainedModel) -> dict[str, float]:
        counts, loss = score_model(model, validation, settings.batch_size)
        return {"loss": loss} | {name: float(value) for name, value in task.metrics(counts.sum(axis=0)).items()}

    return TaskData(
        rows=train.rows,
        batches=lambda steps: LengthGroupedBatches(lengths, settings.batch_size, steps, seed),
        an_epoch=math.ceil(len(lengths) / settings.batch_size),
        collate=train.collate,
        score=score,
        examples={language: (len(train.examples), len(validation.examples))},
    )


def fine_tune_on_task(
    model: PreTrainedModel,
    task: Task,
    data: TaskData,
    settings: SparseOptimisation,
    seed: int,
    objective: Objective,
    checkpoints: Checkpoints,
    stage: str,
) -> tuple[SparseFineTuning, dict[str, Any]]:
    """Fine-tune `model` in place.

    Returns:
        The SFT that was learnt, and the training record of each phase as plain dictionaries.
    """
    freeze(model, settings)
    for language, (learnt, validated) in data.examples.items():
        LOGGER.info("%s: %d examples in %s, validated on %d", stage, learnt, language, validated)

    def run_phase(phase: str, optimiser: torch.optim.Optimizer | None) -> TrainingRecord:
        set_seed(seed)
        epochs = settings.dense_epochs if phase == "dense" else settings.sparse_epochs
        steps = max(1, round(epochs * data.an_epoch))
        return run_training(
            model,
            stage=f"{stage}, {phase} part",
            checkpoints=checkpoints.part(phase),
            settings=settings,
            seed=seed,
            train_dataset=data.rows,
            # Never read, since `score` validates; the Trainer will not validate without one.
            eval_dataset=data.rows,
            train_batches=data.batches(steps),
            steps=steps,
            evaluate_every=settings.evaluate_every or data.an_epoch,
            select_by=task.metric,
            objective=objective,
            optimizer=optimiser,
            data_collator=data.collate,
            score=data.score,
            worn=data.worn,
        )

    sft, records = lottery_ticket(model, settings, run_phase)
    return sft, {phase: asdict(record) for phase, record in records.items()}
