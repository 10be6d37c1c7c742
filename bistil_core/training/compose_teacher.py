"""A task teacher from a sparse fine-tuning that others have learnt: theta + phi_source + phi_task, and its head."""

import logging
from dataclasses import replace
from pathlib import Path

from bistil_core.data.formats import format_of
from bistil_core.downloads import RECORD
from bistil_core.files import read_json, replacing, write_json
from bistil_core.models.loading import load_tokenizer
from bistil_core.models.sparse import HEAD_CONFIGURATION, SparseFineTuning
from bistil_core.models.sparse_application import fingerprint, parameters_of
from bistil_core.models.task_heads import with_fitted_head
from bistil_core.tasks import task_named

LOGGER = logging.getLogger("bistil")


def compose_teacher(
    base_model: Path,
    task_sft: Path,
    output: Path,
    task: str,
    labels: list[str] | None = None,
    language_sft: Path | None = None,
) -> None:
    """Put a published task SFT on the base model, and save what `fine_tune_teacher` would.

    Args:
        base_model: folder of the massively multilingual Transformer, full vocabulary.
        task_sft: phi_task with its head: a file of `SparseFineTuning.save`, a `pytorch_diff.bin` or its folder.
        output: folder for the model with its head, its tokenizer, sft.safetensors (phi_task alone) and
            training.json (where phi_task comes from).
        task: such as "nli".
        labels: in the order of the head's rows in the file; None: in the package's own order.
        language_sft: phi_source, the source language's sparse fine-tuning; None: phi_source is 0.

    Raises:
        BistilError: a sparse fine-tuning belongs to another base, or the head is not the task's.
    """
    chosen, published = task_named(task), SparseFineTuning.load(task_sft)
    head, configuration = chosen.published_head(published.replacements)
    model = chosen.load_model(base_model, **configuration)
    published = with_fitted_head(
        replace(published, replacements=head), model, format_of(task).labels, labels, chosen.by_label
    )
    theta = {name: fingerprint(value) for name, value in parameters_of(model, published).items()}
    if language_sft:
        SparseFineTuning.load(language_sft).without_replacements().apply(model)
    published.apply(model)
    fingerprints = {name: theta[name] for name in published.differences}
    about = {"base_fingerprint": fingerprints, HEAD_CONFIGURATION: configuration}
    sft = replace(published, metadata={**published.metadata, **about})
    downloaded = task_sft / RECORD
    record = {
        "task_sft": read_json(downloaded) if downloaded.is_file() else {"path": str(task_sft)},
        "labels": labels,
        "tuned_parameters": sft.tuned_parameters,
        "density": sft.density,
        "warnings": [],
    }
    with replacing(output) as folder:
        model.save_pretrained(folder)
        load_tokenizer(base_model).save_pretrained(folder)
        sft.save(folder / "sft.safetensors")
        write_json(folder / "training.json", record)
    LOGGER.info("%s teacher: %d values of the encoder and a head from %s", task, sft.tuned_parameters, task_sft)
