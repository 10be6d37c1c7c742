"""One training from its first step, or from its last checkpoint, to its best weights."""

import logging
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from safetensors.torch import load_model
from torch.utils.data import Sampler
from transformers import PreTrainedModel, TrainingArguments

from bistil_core.processes import is_first, wait_for_all
from bistil_core.settings.optimisation import Optimisation
from bistil_core.training.checkpoints import Checkpoints
from bistil_core.training.guards import check_space, loss_warnings
from bistil_core.training.interruption import Interruption
from bistil_core.training.objective_trainer import WEIGHTS, ObjectiveTrainer
from bistil_core.training.objectives import Objective

LOGGER = logging.getLogger("bistil")
MAX_GRADIENT_NORM = 1.0


@dataclass
class TrainingRecord:
    """What one training did, without a clock in it: the same run gives the same record, interrupted or not."""

    steps: int
    best_step: int | None
    best: float | None
    training: list[dict[str, float]] = field(default_factory=list)
    validation: list[dict[str, float]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def run_training(
    model: PreTrainedModel,
    *,
    stage: str,
    checkpoints: Checkpoints,
    settings: Optimisation,
    seed: int,
    train_dataset: Any,
    eval_dataset: Any,
    train_batches: Sampler,
    objective: Objective,
    steps: int,
    evaluate_every: int,
    select_by: str = "loss",
    optimizer: torch.optim.Optimizer | None = None,
    **trainer_options: Any,
) -> TrainingRecord:
    """Train `model` in place and leave it at its best checkpoint on the validation set.

    Where there are checkpoints it goes on from the newest that is whole, and ends with the bits of a training that
    was never interrupted (on the same machine, with the same number of threads and processes). What an earlier call
    has finished is not done again. The checkpoints stay: whoever has written what the training was for removes them.

    Args:
        checkpoints: of this very training: same model, data, settings and code.
        train_batches: `steps` batches of indices into `train_dataset`.
        steps: optimiser steps.
        evaluate_every: steps between validations; at least one takes place.
        select_by: "loss" (lower is better) or a metric (higher is better) of the validation.
        optimizer: in place of AdamW over all that requires a gradient.
        trainer_options: `data_collator`, `eval_batches`, `score`, `worn`.

    Raises:
        BistilError: the disk cannot hold the checkpoints, or a loss or gradient is not finite.
        SystemExit: SIGTERM or SIGINT came; where the training stands has been saved.
    """
    if finished := checkpoints.finished():
        best, record = finished
        load_model(model, checkpoints.at(best) / WEIGHTS)
        LOGGER.info("%s: finished before, with the checkpoint of step %d", stage, best)
        return TrainingRecord(**record)
    checkpoints.folder.mkdir(parents=True, exist_ok=True)
    check_space(stage, model, optimizer, checkpoints)
    with Interruption() as interruption:
        arguments = TrainingArguments(
            output_dir=str(checkpoints.folder),
            per_device_train_batch_size=settings.batch_size,
            per_device_eval_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            warmup_steps=settings.warmup_fraction,
            lr_scheduler_type="linear",
            # An optimiser of our own clips by itself: what lies outside its masks must not count.
            max_grad_norm=MAX_GRADIENT_NORM if optimizer is None else 0.0,
            max_steps=steps,
            eval_strategy="steps",
            eval_steps=min(evaluate_every, steps),
            save_strategy="best",
            metric_for_best_model=select_by,
            greater_is_better=select_by != "loss",
            logging_strategy="steps",
            logging_steps=0.05,
            logging_first_step=True,
            logging_nan_inf_filter=False,
            bf16=settings.precision == "bfloat16",
            use_cpu=not torch.cuda.is_available(),
            seed=seed,
            remove_unused_columns=False,
            disable_tqdm=True,
            report_to="none",
            dataloader_pin_memory=torch.cuda.is_available(),
        )
        # A process has one GPU: the Trainer would deal batches out to all that it sees.
        arguments._n_gpu = min(1, arguments.n_gpu)
        trainer = ObjectiveTrainer(
            model,
            arguments,
            stage=stage,
            objective=objective,
            checkpoints=checkpoints,
            interruption=interruption,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            train_batches=train_batches,
            optimizers=(optimizer, None),
            **trainer_options,
        )
        newest = checkpoints.newest()
        if newest is None:
            trainer.train()
        else:
            LOGGER.info("%s: resumed after step %d of %d", stage, newest, steps)
            trainer.resume(newest)
        best = trainer.state.best_global_step
        wait_for_all()
        trainer.load_weights(best)
        warnings = loss_warnings(stage, trainer.training_log)
        record = TrainingRecord(
            steps=trainer.state.global_step,
            best_step=best,
            best=trainer.state.best_metric,
            training=trainer.training_log,
            validation=trainer.validation_log,
            warnings=warnings,
        )
        wait_for_all()
        if is_first():
            checkpoints.finish(best, asdict(record))
    if interruption.signal:
        raise SystemExit(128 + interruption.signal)
    for warning in warnings:
        LOGGER.warning(warning)
    LOGGER.info("%s: kept the checkpoint of step %s (%s %s)", stage, best, select_by, record.best)
    return record
