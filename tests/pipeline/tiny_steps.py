"""Each training step on inputs that are made in a second: what tests can interrupt, and repeat many times."""

import logging
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import BertConfig, BertModel, set_seed

from bistil_core.files import write_json
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.progress import reporting
from bistil_core.settings.checkpoints import CheckpointSettings
from bistil_core.settings.language_sft import TrainLanguageSftSettings
from bistil_core.settings.phase1 import Phase1Settings
from bistil_core.settings.tasks import Phase2Settings, TeacherSettings
from bistil_core.training.distil_phase1 import distil_phase1
from bistil_core.training.distil_phase2 import distil_phase2
from bistil_core.training.fine_tune_teacher import fine_tune_teacher
from bistil_core.training.train_language_sft import train_language_sft
from tests.word_tokenizer import TOKENIZER

OFTEN = CheckpointSettings(every_minutes=1e-6)
FINE_TUNING = {
    "learning_rate": 2e-3, "batch_size": 8, "density": 0.2, "dense_epochs": 3, "sparse_epochs": 3,
    "evaluate_every": 15, "max_length": 24,
}  # fmt: skip


def write_tiny_inputs(folder: Path) -> None:
    """A base model with dropout, a vocabulary, corpora, labelled pairs and language SFTs below `folder`.

    The pairs of sw have the upper half of the words.
    """
    set_seed(0)
    base = BertModel(
        BertConfig(
            vocab_size=len(TOKENIZER), hidden_size=16, num_hidden_layers=4, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=32, initializer_range=0.2,
            hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1,
        )
    )  # fmt: skip
    base.save_pretrained(folder / "base")
    write_json(folder / "base" / "provenance.json", {"name": "tiny", "revision": None})
    for name in ("base", "vocabulary"):
        TOKENIZER.save_pretrained(folder / name)
    base.config.save_pretrained(folder / "vocabulary")
    kept = {"old_id": np.arange(len(TOKENIZER))}
    pq.write_table(pa.table(kept), folder / "vocabulary" / "kept_ids.parquet")
    generator = np.random.default_rng(0)

    def sentence(first: int = 1) -> str:
        return " ".join(f"w{number}" for number in generator.integers(first, 40, size=generator.integers(3, 10)))

    for name, rows in (("corpora/en", 400), ("corpora/sw", 400), ("pairs", 160), ("pairs_sw", 160)):
        (folder / name).mkdir(parents=True)
        for split, count in (("train", rows), ("validation", rows // 8)):
            columns = {"text": [sentence() for _ in range(count)]}
            if name.startswith("pairs"):
                first = 20 if name == "pairs_sw" else 1
                columns = {
                    "premise": [sentence(first) for _ in range(count)],
                    "hypothesis": [sentence(first) for _ in range(count)],
                    "label": pa.array(generator.integers(0, 3, size=count), pa.int8()),
                }
            pq.write_table(pa.table(columns), folder / name / f"{split}.parquet")
    theta = dict(base.named_parameters())
    for seed, language in enumerate(("en", "sw")):
        draws = torch.Generator().manual_seed(seed)
        tuned = {name: value + 0.1 * torch.randn(value.shape, generator=draws) for name, value in theta.items()}
        masks = {name: torch.rand(value.shape, generator=draws) < 0.1 for name, value in theta.items()}
        SparseFineTuning.difference(theta, tuned, masks).save(folder / f"sft_{language}.safetensors")


def phase1(folder: Path, output: Path, interval: CheckpointSettings = OFTEN, processes: int = 1, **overrides) -> None:
    """Phase 1 into `output`/student."""
    values = {
        "steps": 60, "batch_size": 8, "block_length": 16, "learning_rate": 2e-3, "evaluate_every": 15,
        "validation_blocks": 16, **overrides,
    }  # fmt: skip
    distil_phase1(
        base_model=folder / "base",
        vocabulary=folder / "vocabulary",
        corpora={"en": folder / "corpora/en", "sw": folder / "corpora/sw"},
        output=output / "student",
        settings=Phase1Settings(**values),
        seed=1,
        interval=interval,
        processes=processes,
    )


def teacher(folder: Path, output: Path, interval: CheckpointSettings = OFTEN, processes: int = 1, **overrides) -> None:
    """The teacher, densely, into `output`/teacher."""
    fine_tune_teacher(
        base_model=folder / "base",
        data={"en": folder / "pairs"},
        output=output / "teacher",
        task="nli",
        source_language="en",
        settings=TeacherSettings(**{**FINE_TUNING, "density": 1.0, **overrides}),
        seed=1,
        interval=interval,
        processes=processes,
    )


def multi_source_teacher(
    folder: Path, output: Path, interval: CheckpointSettings = OFTEN, processes: int = 1, **overrides
) -> None:
    """A teacher of two languages, each with its SFT, into `output`/multi_source_teacher."""
    fine_tune_teacher(
        base_model=folder / "base",
        data={"en": folder / "pairs", "sw": folder / "pairs_sw"},
        output=output / "multi_source_teacher",
        task="nli",
        source_language="en",
        settings=TeacherSettings(**{**FINE_TUNING, "dense_epochs": 1.5, "sparse_epochs": 1.5, **overrides}),
        seed=1,
        interval=interval,
        processes=processes,
        language_sfts={language: folder / f"sft_{language}.safetensors" for language in ("en", "sw")},
    )


def phase2(folder: Path, output: Path, interval: CheckpointSettings = OFTEN, processes: int = 1, **overrides) -> None:
    """Phase 2 into `output`/sft.safetensors, from the student and teacher below `folder`."""
    distil_phase2(
        student=folder / "student",
        teacher=folder / "teacher",
        vocabulary=folder / "vocabulary",
        data=folder / "pairs",
        output=output / "sft.safetensors",
        record=output / "training.json",
        task="nli",
        source_language="en",
        settings=Phase2Settings(**{**FINE_TUNING, **overrides}),
        seed=1,
        interval=interval,
        processes=processes,
    )


def language_sft(
    folder: Path, output: Path, interval: CheckpointSettings = OFTEN, processes: int = 1, **overrides
) -> None:
    """The language SFT into `output`/sw.safetensors."""
    values = {
        "learning_rate": 2e-3, "batch_size": 8, "density": 0.2, "block_length": 16, "minimum_steps": 40,
        "maximum_steps": 40, "evaluate_every": 15, "validation_blocks": 16, **overrides,
    }  # fmt: skip
    train_language_sft(
        base_model=folder / "base",
        corpus=folder / "corpora/sw",
        output=output / "sw.safetensors",
        record=output / "sw.training.json",
        language="sw",
        settings=TrainLanguageSftSettings(**values),
        seed=1,
        interval=interval,
        processes=processes,
    )


STEPS = {
    "phase1": phase1,
    "teacher": teacher,
    "multi_source_teacher": multi_source_teacher,
    "phase2": phase2,
    "language_sft": language_sft,
}


def run_step(name: str, folder: str, output: str, log: str, options: dict) -> None:
    """One step as its script would run it, with its messages in `log`; for a process of its own."""
    with reporting(log):
        logging.getLogger("bistil").info("begins")
        STEPS[name](Path(folder), Path(output), **options)
