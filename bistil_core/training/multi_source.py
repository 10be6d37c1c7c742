"""Several source languages of one task, each wearing its sparse fine-tuning (Ansell et al. 2022)."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bistil_core.data.multi_source import MultiSourceBatches, RowsByLanguage, collated_by_language
from bistil_core.models.sparse_overlay import SparseOverlay
from bistil_core.scoring import score_model
from bistil_core.settings.optimisation import SparseOptimisation
from bistil_core.task import Task
from bistil_core.training.on_task import TaskData, encoded_splits


class Worn:
    """What the trainer puts over the model for each batch: the fine-tuning of its language."""

    def __init__(self, overlay: SparseOverlay, languages: list[str]):
        self.overlay = overlay
        self.languages = languages

    @contextmanager
    def over(self, batch: dict[str, Any]) -> Iterator[None]:
        """Theta + phi of the batch's language for the length of the block; `language` is taken out of the batch."""
        with self.overlay.over(self.languages[int(batch.pop("language")[0])]):
            yield

    def lift(self) -> None:
        """The model at theta, whatever broke off."""
        self.overlay.lift()


def in_several_languages(
    task: Task,
    data: Mapping[str, Path],
    tokenizer: PreTrainedTokenizerBase,
    settings: SparseOptimisation,
    seed: int,
    overlay: SparseOverlay,
) -> TaskData:
    """The examples of several languages, folders of train.parquet and validation.parquet by language.

    Batches are of one language each, drawn with equal probability; an epoch has as many as one pass over all the data.
    The validation is over all languages, counts summed, each with its fine-tuning.
    """
    splits = {
        language: encoded_splits(task, folder, tokenizer, settings.max_length, language)
        for language, folder in data.items()
    }
    train = {language: split[0] for language, split in splits.items()}
    validation = {language: split[1] for language, split in splits.items()}
    lengths = {language: each.lengths for language, each in train.items()}

    def score(model: PreTrainedModel) -> dict[str, float]:
        totals, losses = 0.0, []
        for language, each in validation.items():
            with overlay.over(language):
                counts, loss = score_model(model, each, settings.batch_size)
            totals = totals + counts.sum(axis=0)
            losses.append(loss)
        rows = [len(each.rows) for each in validation.values()]
        found = {name: float(value) for name, value in task.metrics(totals).items()}
        return {"loss": float(np.average(losses, weights=rows)), **found}

    return TaskData(
        rows=RowsByLanguage({language: each.rows for language, each in train.items()}),
        batches=lambda steps: MultiSourceBatches(lengths, settings.batch_size, steps, seed),
        an_epoch=sum(math.ceil(len(each) / settings.batch_size) for each in lengths.values()),
        collate=collated_by_language(task.collator(tokenizer)),
        score=score,
        examples={language: (len(train[language].examples), len(validation[language].examples)) for language in data},
        worn=Worn(overlay, list(data)),
    )
