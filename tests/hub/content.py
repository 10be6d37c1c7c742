"""Repositories for the loopback hub: small, in the layout of the real ones."""

import io
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM, XLMRobertaForSequenceClassification

from bistil_core.models.sparse import SparseFineTuning
from tests.hub.loopback import Repository
from tests.vocabulary.small_tokenizers import sentences, unigram_xlm_roberta

XNLI_CARD = """---
language: [en, sw]
configs:
- config_name: en
  data_files:
  - split: train
    path: en/train-*
  - split: test
    path: en/test-*
- config_name: sw
  data_files:
  - split: test
    path: sw/test-*
---
# Data set card
"""
SCRIPT_OF = {"en": "latin", "sw": "greek"}


def parquet(columns: dict[str, list]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def model() -> Repository:
    """FacebookAI/xlm-roberta-base in miniature, with files beside it that nobody needs."""
    tokenizer = unigram_xlm_roberta()
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=66, type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        XLMRobertaForMaskedLM(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    return Repository({**files, "flax_model.msgpack": b"flax", "onnx/model.onnx": b"onnx", "README.md": b"# card\n"})


def task_sft(base: Repository) -> Repository:
    """cambridgeltl/xlmr-task-sft-nli for the miniature of the base: a pytorch_diff.bin with a head, and no more."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("config.json", "model.safetensors"):
            (Path(folder) / name).write_bytes(base.files[name])
        model = XLMRobertaForSequenceClassification.from_pretrained(folder, num_labels=3)
        group = {
            name: value.detach().clone() for name, value in model.named_parameters() if name.startswith("roberta.")
        }
        generator = torch.Generator().manual_seed(1)
        tuned = {name: value + torch.randn(value.shape, generator=generator) for name, value in group.items()}
        masks = {name: torch.rand(value.shape, generator=generator) < 0.1 for name, value in group.items()}
        head = {
            name: torch.randn(value.shape, generator=generator)
            for name, value in model.named_parameters()
            if name not in group
        }
        sft = SparseFineTuning.difference(group, tuned, masks, replaced=head)
        # A bias that lets no label always be the likeliest: a wrong order of labels must be seen in the scores.
        sft.apply(model)
        batch = unigram_xlm_roberta()(sentences("greek"), padding=True, return_tensors="pt")
        with torch.no_grad():
            head["classifier.out_proj.bias"] -= model.eval()(**batch).logits.mean(dim=0)
        SparseFineTuning.difference(group, tuned, masks, replaced=head).save_composable(folder)
        return Repository(
            {"pytorch_diff.bin": (Path(folder) / "pytorch_diff.bin").read_bytes(), "README.md": b"# SFT\n"}
        )


def nli(language: str, rows: int, label: int = 0) -> bytes:
    text = sentences(SCRIPT_OF[language])
    return parquet(
        {
            "premise": [text[row % len(text)] for row in range(rows)],
            "hypothesis": [text[(row * 7 + 1) % len(text)] for row in range(rows)],
            "label": [(row + label) % 3 for row in range(rows)],
        }
    )


def xnli() -> Repository:
    """facebook/xnli: a folder per language, declared in the card."""
    return Repository(
        {
            "README.md": XNLI_CARD.encode(),
            "en/train-00000-of-00001.parquet": nli("en", 90),
            "en/test-00000-of-00001.parquet": nli("en", 30, label=1),
            "sw/test-00000-of-00001.parquet": nli("sw", 30, label=1),
        }
    )


def multi_nli() -> Repository:
    """nyu-mll/multi_nli: one configuration, two files of training data, nothing declared."""
    return Repository(
        {
            "README.md": b"# MultiNLI\n",
            "data/train-00000-of-00002.parquet": nli("en", 48),
            "data/train-00001-of-00002.parquet": nli("en", 48, label=1),
            "data/validation_matched-00000-of-00001.parquet": nli("en", 24, label=2),
            "data/validation_mismatched-00000-of-00001.parquet": nli("en", 24),
        }
    )


def articles(language: str, start: int, rows: int) -> bytes:
    text = sentences(SCRIPT_OF[language])
    documents = [
        " ".join(text[(row * 5 + place) % len(text)] for place in range(3)) + f" {row}"
        for row in range(start, start + rows)
    ]
    return parquet({"id": [str(row) for row in range(start, start + rows)], "text": documents})


def wikipedia() -> Repository:
    """wikimedia/wikipedia: a folder per dump and language; English in several files."""
    english = {f"20231101.en/train-{part:05}-of-00004.parquet": articles("en", part * 100, 100) for part in range(4)}
    return Repository({**english, "20231101.sw/train-00000-of-00001.parquet": articles("sw", 0, 150)})


def fineweb() -> Repository:
    """HuggingFaceFW/fineweb-2: folders below data/, by language and split."""
    return Repository(
        {
            "data/swh_Latn/train/000_00000.parquet": articles("sw", 0, 20),
            "data/swh_Latn/train/000_00001.parquet": articles("sw", 20, 20),
            "data/swh_Latn/test/000_00000.parquet": articles("sw", 40, 5),
            "data/swh_Latn_removed/train/000_00000.parquet": articles("sw", 50, 5),
        }
    )
