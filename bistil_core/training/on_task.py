"""What the task teacher and phase 2 share: examples in, lottery-ticket fine-tuning, a record out."""

import logging
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
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


def fine_tune_on_task(
    model: PreTrainedModel,
    task: Task,
    data: Path,
    language: str,
    tokenizer: PreTrainedTokenizerBase,
    settings: SparseOptimisation,
    seed: int,
    objective: Objective,
    checkpoints: Checkpoints,
    stage: str,
) -> tuple[SparseFineTuning, dict[str, Any]]:
    """Fine-tune `model` in place on a folder of train.parquet and validation.parquet in one language.

    Returns:
        The SFT that was learnt, and the training record of each phase as plain dictionaries.
    """
    train, validation = (
        LabelledData.encoded(task, pq.read_table(data / f"{split}.parquet"), tokenizer, settings.max_length, language)
        for split in ("train", "validation")
    )
    freeze(model, settings)
    lengths = train.lengths
    steps_per_epoch = math.ceil(len(lengths) / settings.batch_size)
    LOGGER.info("%s: %d examples, validated on %d", stage, len(train.examples), len(validation.examples))

    def score(model: PreTrainedModel) -> dict[str, float]:
        counts, loss = score_model(model, validation, settings.batch_size)
        return {"loss": loss} | {name: float(value) for name, value in task.metrics(counts.sum(axis=0)).items()}

    def run_phase(phase: str, optimiser: torch.optim.Optimizer | None) -> TrainingRecord:
        set_seed(seed)
        epochs = settings.dense_epochs if phase == "dense" else settings.sparse_epochs
        steps = max(1, round(epochs * steps_per_epoch))
        return run_training(
            model,
            stage=f"{stage}, {phase} part",
            checkpoints=checkpoints.part(phase),
            settings=settings,
            seed=seed,
            train_dataset=train.rows,
            eval_dataset=validation.rows,
            train_batches=LengthGroupedBatches(lengths, settings.batch_size, steps, seed),
            steps=steps,
            evaluate_every=settings.evaluate_every or steps_per_epoch,
            select_by=task.metric,
            objective=objective,
            optimizer=optimiser,
            data_collator=train.collate,
            score=score,
        )

    sft, records = lottery_ticket(model, settings, run_phase)
    return sft, {phase: asdict(record) for phase, record in records.items()}
