"""Language SFTs: the base model adapted to a language by LT-SFT with the MLM objective (method section 3)."""

import logging
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForMaskedLM, default_data_collator, set_seed

from bistil_core.data.bilingual import BilingualBatches, MaskedBlocks, ValidationBatches
from bistil_core.data.blocks import MaskingIds, tokenise_into_blocks
from bistil_core.files import read_json, replacing, write_json
from bistil_core.models.dropout import dropout_overrides
from bistil_core.models.loading import load_tokenizer
from bistil_core.models.sparse_application import fingerprint
from bistil_core.processes import is_first
from bistil_core.settings.checkpoints import DEFAULT_INTERVAL, CheckpointSettings
from bistil_core.settings.language_sft import TrainLanguageSftSettings
from bistil_core.threads import limit_threads
from bistil_core.training.launching import in_processes
from bistil_core.training.lottery_ticket import freeze, lottery_ticket, sparsified_group
from bistil_core.training.objectives import MaskedLanguageModelling
from bistil_core.training.resuming import checkpoints_of
from bistil_core.training.trainer import TrainingRecord, run_training
from bistil_core.vocabulary.model_rows import vocabulary_parameters
from bistil_core.vocabulary.trimmed_embeddings import trim_embeddings

LOGGER = logging.getLogger("bistil")


@in_processes
def train_language_sft(
    base_model: Path,
    corpus: Path,
    output: Path,
    record: Path,
    language: str,
    settings: TrainLanguageSftSettings,
    seed: int,
    threads: int = 1,
    interval: CheckpointSettings = DEFAULT_INTERVAL,
) -> None:
    """Learn the sparse fine-tuning that adapts a base model to a language.

    Args:
        base_model: folder that `prepare_base_model` wrote, full vocabulary.
        corpus: folder with train.parquet and validation.parquet.
        output: the SFT, one safetensors file: differences of the encoder, without the language-modelling head.
        record: JSON file for the training record of each phase.
        language: code of the language, for the SFT's metadata.
        settings: `train_language_sft` of the configuration.
        threads: of all processes together.
        interval: between checkpoints; an interrupted call goes on from its last one when it is made again.
        processes: that train together on this machine (`in_processes`), each on a GPU of its own where there are some.

    Raises:
        BistilError: the corpus fills no block.
    """
    limit_threads(threads)
    checkpoints = checkpoints_of(
        output, {"base_model": base_model, "corpus": corpus}, settings, seed, [__name__], interval
    )
    set_seed(seed)
    tokenizer = load_tokenizer(base_model)
    model = AutoModelForMaskedLM.from_pretrained(
        str(base_model),
        local_files_only=True,
        use_safetensors=True,
        **dropout_overrides(base_model, settings.dropout),
    )
    train, validation = (
        tokenise_into_blocks(tokenizer, corpus / f"{split}.parquet", settings.block_length, limit)
        for split, limit in (("train", None), ("validation", settings.validation_blocks))
    )
    theta = {name: fingerprint(value) for name, value in model.base_model.named_parameters()}
    cut, rows = list(vocabulary_parameters(model.base_model)), model.config.vocab_size
    # Other tokens can only be wrong: leaving them out spares most of the output layer's work.
    kept_ids = np.union1d(np.union1d(train, validation), tokenizer.all_special_ids)
    trim_embeddings(model, kept_ids)
    vocabulary = MaskingIds.of(tokenizer).renumbered(kept_ids)
    train, validation = (
        {language: np.searchsorted(kept_ids, blocks).astype(np.int32)} for blocks in (train, validation)
    )
    freeze(model, settings)
    sizes = {language: len(train[language])}
    steps_per_epoch = math.ceil(sizes[language] / settings.batch_size)
    steps = steps_of_each_phase(settings, steps_per_epoch)
    objective = MaskedLanguageModelling(sparsified_group(model), settings.regularisation)
    LOGGER.info("language SFT of %s: %d blocks of %d tokens", language, sizes[language], settings.block_length)

    def run_phase(phase: str, optimiser: torch.optim.Optimizer | None) -> TrainingRecord:
        set_seed(seed)
        return run_training(
            model,
            stage=f"language SFT of {language}, {phase} part",
            checkpoints=checkpoints.part(phase),
            settings=settings,
            seed=seed,
            train_dataset=MaskedBlocks(train, vocabulary, settings.mask_probability, seed),
            eval_dataset=MaskedBlocks(validation, vocabulary, settings.mask_probability, seed),
            train_batches=BilingualBatches(sizes, settings.batch_size, steps, seed),
            eval_batches=ValidationBatches({language: len(validation[language])}, settings.batch_size),
            objective=objective,
            steps=steps,
            evaluate_every=settings.evaluate_every or steps_per_epoch,
            optimizer=optimiser,
            data_collator=default_data_collator,
        )

    sft, records = lottery_ticket(model, settings, run_phase)
    base = read_json(base_model / "provenance.json")
    about = {"base_model": base["name"], "revision": base["revision"], "language": language}
    sft = sft.without_replacements().widen_to_vocabulary(kept_ids, cut, rows)
    about["base_fingerprint"] = {name: theta[name] for name in sft.differences}
    sft = replace(sft, metadata={**sft.metadata, **about})
    if not is_first():
        return
    with replacing(output) as partial:
        sft.save(partial)
    write_json(record, {phase: asdict(each) for phase, each in records.items()})
    checkpoints.remove()


def steps_of_each_phase(settings: TrainLanguageSftSettings, steps_per_epoch: int) -> int:
    """Optimiser steps: the lesser of both maxima, but no fewer than the minimum (method.md section 3)."""
    wanted = min(settings.maximum_steps, round(settings.maximum_epochs * steps_per_epoch))
    return max(settings.minimum_steps, wanted)
