"""transformers' Trainer with an objective of named parts, logged so that a person can follow it."""

import contextlib
import datetime
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Sampler
from transformers import PreTrainedModel, Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from bistil_core.settings.optimisation import Optimisation
from bistil_core.training.objectives import Objective

LOGGER = logging.getLogger("bistil")
MAX_GRADIENT_NORM = 1.0


@dataclass
class TrainingRecord:
    """What one training did, without a clock in it: the same run gives the same record."""

    steps: int
    best_step: int | None
    best: float | None
    training: list[dict[str, float]] = field(default_factory=list)
    validation: list[dict[str, float]] = field(default_factory=list)


class ObjectiveTrainer(Trainer):
    """A Trainer that minimises the sum of an objective's parts.

    Args:
        stage: the name under which progress is logged.
        objective: see `bistil_core.training.objectives`.
        train_batches: yields the training set's indices batch by batch; None for the Trainer's own shuffling.
        eval_batches: the same for validation; None for the Trainer's own order.
        score: model -> the metrics of its validation; None to validate by the objective itself.
    """

    def __init__(
        self,
        *args: Any,
        stage: str,
        objective: Objective,
        train_batches: Sampler | None = None,
        eval_batches: Sampler | None = None,
        score: Callable[[PreTrainedModel], dict[str, float]] | None = None,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.remove_callback(PrinterCallback)
        self.stage = stage
        self.objective = objective
        self.train_batches = train_batches
        self.eval_batches = eval_batches
        self.score = score
        self.training_log: list[dict[str, float]] = []
        self.validation_log: list[dict[str, float]] = []
        self._parts: dict[str, torch.Tensor] = {}
        self._batches = self._tokens = 0
        self._start = self._last = (0, time.monotonic())
        # The loss is a mean over the batch; the Trainer must not scale it by a number of items.
        self.model_accepts_loss_kwargs = False

    def get_train_dataloader(self) -> DataLoader:
        """Batches of the given sampler, or the Trainer's own."""
        if self.train_batches is None:
            return super().get_train_dataloader()
        return self._loader(self.train_dataset, self.train_batches)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader:
        """Batches of the given sampler, or the Trainer's own."""
        if self.eval_batches is None:
            return super().get_eval_dataloader(eval_dataset)
        return self._loader(self.eval_dataset, self.eval_batches)

    def _loader(self, dataset: Any, batches: Sampler) -> DataLoader:
        loader = DataLoader(dataset, batch_sampler=batches, collate_fn=self.data_collator)
        return self.accelerator.prepare(loader)

    def compute_loss(
        self,
        model: PreTrainedModel,
        inputs: dict,
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The sum of the objective's parts."""
        parts = self.objective(model, inputs)
        if model.training:
            for name, value in parts.items():
                self._parts[name] = self._parts.get(name, 0.0) + value.detach()
            self._batches += 1
            self._tokens += inputs["attention_mask"].numel()
        return sum(parts.values())

    def evaluate(self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval") -> dict:
        """Validate by the scores of a task where there is one."""
        if self.score is None:
            return super().evaluate(eval_dataset, ignore_keys, metric_key_prefix)
        with self.compute_loss_context_manager():
            metrics = {f"{metric_key_prefix}_{name}": value for name, value in self.score(self.model).items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def prediction_step(
        self, model: PreTrainedModel, inputs: dict, prediction_loss_only: bool, ignore_keys: Any = None
    ) -> tuple:
        """Validation without scores is the objective itself."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            loss = self.compute_loss(model, inputs)
        return loss.mean().detach(), None, None

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        """Of equally good checkpoints the last is the best: a saturated metric must not stop the learning early."""
        if metrics.get(f"eval_{self.args.metric_for_best_model}") == self.state.best_metric:
            self.state.best_global_step = self.state.global_step
            return True
        return super()._determine_best_metric(metrics, trial)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the parts' means since the last line, and write a line for the person who watches."""
        step = self.state.global_step
        if "loss" in logs and self._batches:
            parts = {name: float(value) / self._batches for name, value in self._parts.items()}
            self.training_log.append({"step": step, "loss": sum(parts.values()), **parts})
            self._say(step, self.training_log[-1], speed=True)
            self._parts, self._batches, self._tokens = {}, 0, 0
        elif any(name.startswith("eval_") for name in logs):
            clocks = ("runtime", "per_second", "model_preparation_time", "epoch")
            kept = {
                name.removeprefix("eval_"): value
                for name, value in logs.items()
                if not any(clock in name for clock in clocks)
            }
            self.validation_log.append({"step": step, **kept})
            self._say(step, {f"validation {name}": value for name, value in kept.items()})
        super().log(logs, start_time)

    def _say(self, step: int, values: dict[str, float], speed: bool = False) -> None:
        words = [f"{self.stage}: step {step}/{self.state.max_steps}"]
        words += [f"{name} {value:.4g}" for name, value in values.items() if name != "step"]
        if speed:
            now = time.monotonic()
            words.append(f"{self._tokens / max(now - self._last[1], 1e-9):,.0f} tokens/s")
            done = step - self._start[0]
            left = (now - self._start[1]) / max(done, 1) * (self.state.max_steps - step)
            words.append(f"{datetime.timedelta(seconds=round(left))} left")
            self._last = (step, now)
        LOGGER.info(", ".join(words))


def run_training(
    model: PreTrainedModel,
    *,
    stage: str,
    scratch: Path,
    settings: Optimisation,
    seed: int,
    train_dataset: Any,
    eval_dataset: Any,
    objective: Objective,
    steps: int,
    evaluate_every: int,
    select_by: str = "loss",
    optimizer: torch.optim.Optimizer | None = None,
    **trainer_options: Any,
) -> TrainingRecord:
    """Train `model` in place and leave it at its best checkpoint on the validation set.

    Args:
        scratch: a folder for checkpoints; it is emptied first and deleted at the end.
        steps: optimiser steps.
        evaluate_every: steps between validations; at least one takes place.
        select_by: "loss" (lower is better) or a metric (higher is better) of the validation.
        optimizer: in place of AdamW over all that requires a gradient.
        trainer_options: `data_collator`, `train_batches`, `eval_batches`, `score`.
    """
    interval = min(evaluate_every, steps)
    with emptied(scratch):
        trainer = ObjectiveTrainer(
            model,
            TrainingArguments(
                output_dir=str(scratch),
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
                eval_steps=interval,
                save_strategy="steps",
                save_steps=interval,
                save_only_model=True,
                save_total_limit=1,
                load_best_model_at_end=True,
                metric_for_best_model=select_by,
                greater_is_better=select_by != "loss",
                logging_strategy="steps",
                logging_steps=0.05,
                logging_nan_inf_filter=False,
                bf16=settings.precision == "bfloat16",
                use_cpu=not torch.cuda.is_available(),
                seed=seed,
                remove_unused_columns=False,
                disable_tqdm=True,
                report_to="none",
                dataloader_pin_memory=torch.cuda.is_available(),
            ),
            stage=stage,
            objective=objective,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            optimizers=(optimizer, None),
            **trainer_options,
        )
        trainer.train()
    best = trainer.state.best_model_checkpoint
    record = TrainingRecord(
        steps=trainer.state.global_step,
        best_step=int(best.rsplit("-", 1)[-1]) if best else None,
        best=trainer.state.best_metric,
        training=trainer.training_log,
        validation=trainer.validation_log,
    )
    LOGGER.info("%s: kept the checkpoint of step %s (%s %s)", stage, record.best_step, select_by, record.best)
    return record


@contextlib.contextmanager
def emptied(folder: Path) -> Iterator[None]:
    """`folder`, empty, for the length of the block; deleted afterwards, whatever happens."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
