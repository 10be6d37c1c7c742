"""Phase 1: a general bilingual student from the bare teacher (BiStil section 3.2)."""

import logging
from dataclasses import asdict
from pathlib import Path

import pyarrow.parquet as pq
from transformers import default_data_collator, set_seed

from bistil_core.data.bilingual import BilingualBatches, MaskedBlocks, ValidationBatches
from bistil_core.data.blocks import MaskingIds, tokenise_into_blocks
from bistil_core.files import replacing, write_json
from bistil_core.models.loading import load_encoder, load_tokenizer
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.models.student import build_student
from bistil_core.processes import is_first
from bistil_core.settings.checkpoints import DEFAULT_INTERVAL, CheckpointSettings
from bistil_core.settings.phase1 import Phase1Settings
from bistil_core.threads import limit_threads
from bistil_core.training.launching import in_processes
from bistil_core.training.objectives import BilingualDistillation
from bistil_core.training.resuming import checkpoints_of
from bistil_core.training.trainer import TrainingRecord, run_training
from bistil_core.vocabulary.model_rows import vocabulary_parameters
from bistil_core.vocabulary.trimmed_embeddings import trim_embeddings

LOGGER = logging.getLogger("bistil")


@in_processes
def distil_phase1(
    base_model: Path,
    vocabulary: Path,
    corpora: dict[str, Path],
    output: Path,
    settings: Phase1Settings,
    seed: int,
    threads: int = 1,
    interval: CheckpointSettings = DEFAULT_INTERVAL,
    language_sfts: dict[str, Path] | None = None,
) -> None:
    """Distil the base model into a student of two languages, and save it with its tokenizer.

    Args:
        base_model: folder of the massively multilingual Transformer.
        vocabulary: folder that `trim_bilingual_vocabulary` wrote.
        corpora: language code -> folder with train.parquet and validation.parquet.
        output: folder for config.json, model.safetensors (the bare encoder), the trimmed tokenizer and
            training.json (steps, losses, the checkpoint that was kept).
        settings: `phase1` of the configuration; with 0 steps the student stays as initialised.
        threads: of all processes together.
        interval: between checkpoints; an interrupted call goes on from its last one when it is made again.
        processes: that train together on this machine (`in_processes`), each on a GPU of its own where there are some.
        language_sfts: language code -> its sparse fine-tuning of the base model, which the teacher wears for the
            batches in that language, cut to the vocabulary; the student starts from the bare teacher.

    Raises:
        BistilError: the factor does not divide the teacher's layers, a corpus fills no block, or a sparse
            fine-tuning belongs to another base.
    """
    limit_threads(threads)
    inputs = {"base_model": base_model, "vocabulary": vocabulary, **corpora}
    inputs |= {f"language_sft_{language}": path for language, path in (language_sfts or {}).items()}
    checkpoints = checkpoints_of(output, inputs, settings, seed, [__name__], interval)
    set_seed(seed)
    tokenizer = load_tokenizer(vocabulary)
    kept_ids = pq.read_table(vocabulary / "kept_ids.parquet")["old_id"].to_numpy()
    teacher = load_encoder(base_model)
    cut = list(vocabulary_parameters(teacher))
    teacher = trim_embeddings(teacher, kept_ids)
    student = build_student(teacher, settings.layer_reduction_factor)
    record = TrainingRecord(steps=0, best_step=None, best=None)
    if settings.steps:
        train = _blocks(tokenizer, corpora, "train", settings.block_length, None)
        validation = _blocks(tokenizer, corpora, "validation", settings.block_length, settings.validation_blocks)
        fine_tunings = {
            language: SparseFineTuning.load(path).without_replacements().cut_to_vocabulary(kept_ids, cut)
            for language, path in (language_sfts or {}).items()
        }
        vocabulary_ids = MaskingIds.of(tokenizer)
        LOGGER.info("phase 1: blocks of %d tokens: %s", settings.block_length, _sizes(train))
        record = run_training(
            student,
            stage="phase 1",
            checkpoints=checkpoints,
            settings=settings,
            seed=seed,
            train_dataset=MaskedBlocks(train, vocabulary_ids, settings.mask_probability, seed),
            eval_dataset=MaskedBlocks(validation, vocabulary_ids, settings.mask_probability, seed),
            train_batches=BilingualBatches(_sizes(train), settings.batch_size, settings.steps, seed),
            eval_batches=ValidationBatches(_sizes(validation), settings.batch_size),
            objective=BilingualDistillation(teacher, list(train), fine_tunings, settings.padding_reading),
            steps=settings.steps,
            evaluate_every=settings.evaluate_every,
            data_collator=default_data_collator,
        )
    if not is_first():
        return
    with replacing(output) as folder:
        student.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_json(folder / "training.json", asdict(record))
    checkpoints.remove()


def _blocks(tokenizer, corpora: dict[str, Path], split: str, block_length: int, limit: int | None) -> dict:
    return {
        language: tokenise_into_blocks(tokenizer, folder / f"{split}.parquet", block_length, limit)
        for language, folder in sorted(corpora.items())
    }


def _sizes(blocks: dict) -> dict[str, int]:
    return {language: len(rows) for language, rows in blocks.items()}
