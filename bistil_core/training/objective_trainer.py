"""transformers' Trainer with an objective of named parts, which resumes exactly and can be followed by a person."""

import datetime
import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from safetensors.torch import load_model, save_model
from torch.utils.data import DataLoader, Sampler
from transformers import PreTrainedModel, Trainer
from transformers.trainer_callback import PrinterCallback, TrainerCallback

from bistil_core.processes import (
    DealtBatches,
    dealt,
    gathered,
    is_first,
    process_count,
    process_number,
    sum_gradients,
    summed,
)
from bistil_core.training.checkpoints import Checkpoints
from bistil_core.training.guards import FiniteGuard, check_validation
from bistil_core.training.interruption import Interrupted, Interruption
from bistil_core.training.objectives import Objective

LOGGER = logging.getLogger("bistil")
WEIGHTS = "model.safetensors"
PROGRESS = "progress.pt"
STATE = "trainer_state.json"
STEPS_UNSEEN = 50
"""Steps at most between looks at whether all numbers were finite."""


class ObjectiveTrainer(Trainer):
    """A Trainer that minimises the sum of an objective's parts.

    Args:
        stage: the name under which progress is logged.
        objective: see `bistil_core.training.objectives`.
        checkpoints: where to save; see `_save_checkpoint`.
        interruption: says when to leave.
        train_batches: yields the training set's indices batch by batch, from the start whenever it is iterated over.
        eval_batches: the same for a validation by the objective.
        score: model -> the metrics of its validation; None to validate by the objective itself.
        worn: what is put over the model for the forward and backward pass of each batch, by `over(batch)`, a context,
            and taken off by `lift()`, whatever broke off; see `bistil_core.training.multi_source`.
    """

    def __init__(
        self,
        *args: Any,
        stage: str,
        objective: Objective,
        checkpoints: Checkpoints,
        interruption: Interruption,
        train_batches: Sampler,
        eval_batches: Sampler | None = None,
        score: Callable[[PreTrainedModel], dict[str, float]] | None = None,
        worn: Any = None,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        self.remove_callback(PrinterCallback)
        self.add_callback(_Beginning(self))
        self.stage = stage
        self.objective = objective
        self.checkpoints = checkpoints
        self.interruption = interruption
        self.train_batches = train_batches
        self.eval_batches = eval_batches
        self.score = score
        self.worn = worn
        self.training_log: list[dict[str, float]] = []
        self.validation_log: list[dict[str, float]] = []
        self._guard = FiniteGuard(stage, train_batches)
        self._parts: dict[str, torch.Tensor] = {}
        self._batches = self._tokens = 0
        self._loss: torch.Tensor | None = None
        self._validation_is_due = False
        self._start = self._last = (0, time.monotonic())
        self._saved = time.monotonic()
        # The loss is a mean over the batch; the Trainer must not scale it by a number of items.
        self.model_accepts_loss_kwargs = False

    def get_train_dataloader(self) -> DataLoader:
        """Batches of the given sampler."""
        loader = DataLoader(
            self.train_dataset,
            batch_sampler=DealtBatches(self.train_batches),
            collate_fn=self.data_collator,
            generator=torch.Generator().manual_seed(0),
        )
        return self.accelerator.prepare(loader)

    def training_step(self, model: PreTrainedModel, inputs: dict, num_items_in_batch: Any = None) -> torch.Tensor:
        """The Trainer's, with the gradients of all processes added up."""
        if process_count() > 1:
            # Dropout of its own for each process and step: no state of generators need be kept for each process.
            seed = np.random.SeedSequence((self.args.seed, self.state.global_step, process_number()))
            torch.manual_seed(int(seed.generate_state(1)[0]))
        with self.worn.over(inputs) if self.worn else nullcontext():
            loss = super().training_step(model, inputs, num_items_in_batch)
        sum_gradients(model.parameters())
        return loss

    def compute_loss(
        self,
        model: PreTrainedModel,
        inputs: dict,
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The sum of the objective's parts."""
        parts = self.objective(model, inputs)
        loss = sum(parts.values())
        if model.training:
            whole = dict(zip(parts, summed(torch.stack([part.detach() for part in parts.values()])), strict=True))
            for name, value in whole.items():
                self._parts[name] = self._parts.get(name, 0.0) + value
            self._batches += 1
            self._tokens += inputs["attention_mask"].numel() * process_count()
            self._loss = sum(whole.values())
        return loss

    def _get_grad_norm(self, model: PreTrainedModel, grad_norm: Any = None) -> Any:
        norm = super()._get_grad_norm(model, grad_norm)
        self._guard.watch(self.state.global_step + 1, self._loss, norm)
        return norm

    def evaluate(self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval") -> dict:
        """Validate by the scores of a task where there is one, else by the objective itself."""
        with self.compute_loss_context_manager():
            values = self.score(self.model) if self.score else {"loss": self._validation_loss()}
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in values.items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    @torch.no_grad()
    def _validation_loss(self) -> float:
        """The objective's mean over the validation set, each batch counted by its rows."""
        self.model.eval()
        losses = []
        for batch in dealt(list(self.eval_batches)):
            rows = self.data_collator([self.eval_dataset[row] for row in batch])
            losses.append(self.compute_loss(self.model, self._prepare_inputs(rows)))
        of_batches = np.array(gathered([float(loss) for loss in losses]), dtype=np.float32)
        return float(np.repeat(of_batches, [len(batch) for batch in self.eval_batches]).mean())

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        """Of equally good checkpoints the last is the best: a saturated metric must not stop the learning early."""
        selecting = self.args.metric_for_best_model
        decisive = {name: metrics[f"eval_{name}"] for name in ("loss", selecting) if f"eval_{name}" in metrics}
        check_validation(self.stage, self.state.global_step, decisive)
        if metrics.get(f"eval_{selecting}") == self.state.best_metric:
            self.state.best_global_step = self.state.global_step
            return True
        return super()._determine_best_metric(metrics, trial)

    def _maybe_log_save_evaluate(self, *args: Any, **kwargs: Any) -> None:
        """What follows a step: a look at its numbers, the Trainer's doings, a checkpoint when it is time, an end."""
        if time.monotonic() - self._saved >= 60 * self.checkpoints.every_minutes:
            self.control.should_save = True
        will_look = self.control.should_log or self.control.should_evaluate or self.control.should_save
        if will_look or self.interruption.signal or self.state.global_step % STEPS_UNSEEN == 0:
            self._guard.check()
        try:
            super()._maybe_log_save_evaluate(*args, **kwargs)
        except Interrupted:
            self._validation_is_due = True
            if self.worn:
                self.worn.lift()
        if self.interruption.signal:
            self._leave()

    def _evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        # A validation may take minutes, and one who is told to go has seconds: it is done anew when resumed.
        with self.interruption.at_once():
            return super()._evaluate(*args, **kwargs)

    def _leave(self) -> NoReturn:
        step = self.state.global_step
        self._save_checkpoint(self.model, None)
        LOGGER.warning(
            "%s: stopped by %s after step %d of %d, which is saved: the same command goes on from there",
            self.stage,
            self.interruption.signal.name,
            step,
            self.state.max_steps,
        )
        raise SystemExit(128 + self.interruption.signal)

    def _save_checkpoint(self, model: PreTrainedModel, trial: Any) -> None:
        """Save all that the rest of the training depends on: weights, optimiser, schedule, generators, logs.

        Processes that train together have all of it in common, so that the first writes it for all.
        """
        if not is_first():
            return
        with self.checkpoints.writing(self.state.global_step) as folder:
            save_model(self.model, str(folder / WEIGHTS))
            self._save_optimizer_and_scheduler(str(folder))
            self._save_rng_state(str(folder))
            self.state.save_to_json(str(folder / STATE))
            progress = {
                "parts": self._parts,
                "batches": self._batches,
                "tokens": self._tokens,
                "training": self.training_log,
                "validation": self.validation_log,
                "validation_is_due": self._validation_is_due,
            }
            torch.save(progress, folder / PROGRESS)
        self.checkpoints.prune(self.state.best_global_step)
        self._saved = time.monotonic()

    def resume(self, step: int) -> None:
        """Train on from the checkpoint of a step."""
        folder = self.checkpoints.at(step)
        progress = torch.load(folder / PROGRESS, map_location=self.args.device, weights_only=True)
        self._parts, self._batches, self._tokens = (progress[name] for name in ("parts", "batches", "tokens"))
        self.training_log, self.validation_log = progress["training"], progress["validation"]
        self._validation_is_due = progress["validation_is_due"]
        self.train(resume_from_checkpoint=str(folder))

    def load_weights(self, step: int) -> None:
        """Put the weights of a step's checkpoint into the model."""
        self._load_from_checkpoint(str(self.checkpoints.at(step)))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: PreTrainedModel | None = None) -> None:
        load_model(self.model, Path(resume_from_checkpoint) / WEIGHTS)

    def begin(self) -> None:
        """Start the clocks, and do the validation that was broken off when the process was told to go."""
        step = self.state.global_step
        self._start = self._last = (step, time.monotonic())
        self._saved = time.monotonic()
        if self._validation_is_due:
            self._validation_is_due = False
            self._load_rng_state(str(self.checkpoints.at(step)))
            self.control.should_evaluate = True
            self._maybe_log_save_evaluate(self._tr_loss, None, self.model, None, 0, None, time.time())

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


class _Beginning(TrainerCallback):
    def __init__(self, trainer: ObjectiveTrainer):
        self.trainer = trainer

    def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
        self.trainer.begin()
