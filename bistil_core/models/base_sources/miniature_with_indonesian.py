"""The shipped model with a tokenizer that also has pieces for Indonesian, which the model never saw."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from transformers import PreTrainedTokenizerBase

from bistil_core.files import read_json, write_json
from bistil_core.miniature.corpus import generate_corpus
from bistil_core.miniature.languages import PRETRAINING_LANGUAGES
from bistil_core.models.base_sources import Identity
from bistil_core.models.loading import load_tokenizer
from bistil_core.models.model_files import MINIATURE, WEIGHTS, copy_model
from bistil_core.settings.sources import MiniatureModelWithIndonesian

_LANGUAGE = "id"
_SPACE = "▁"
_DOCUMENTS = 3000
_SEED = 0


def write(source: MiniatureModelWithIndonesian, folder: Path, name: str, seed: int) -> Identity:
    """A copy of it in which whole words of Indonesian are pieces; their embeddings are drawn at random.

    The shipped tokenizer cuts Indonesian into letters; those of real models, learnt on a hundred languages, have
    pieces for most others. Text of the languages that the model knows is encoded as before.
    """
    copy_model(MINIATURE, folder, name)
    tokenizer = load_tokenizer(folder)
    known = {language: list(generate_corpus(language, _DOCUMENTS, _SEED)) for language in PRETRAINING_LANGUAGES}
    before = {language: tokenizer(documents)["input_ids"] for language, documents in known.items()}
    counts = Counter(
        word.rstrip(".") for document in generate_corpus(_LANGUAGE, _DOCUMENTS, _SEED) for word in document.split()
    )
    words = sorted(word for word in counts if len(tokenizer.tokenize(word)) > 1)
    definition = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    shipped = definition["model"]["vocab"]
    total = sum(counts.values())
    while True:
        added = [[_SPACE + word, float(np.log(counts[word] / total))] for word in words]
        definition["model"]["vocab"] = shipped + added
        (folder / "tokenizer.json").write_text(json.dumps(definition, ensure_ascii=False), encoding="utf-8")
        tokenizer = load_tokenizer(folder)
        if not (intruders := _changed(tokenizer, known, before, len(shipped))):
            break
        words = [word for word in words if _SPACE + word not in intruders]
    _add_rows(folder, len(shipped), len(words))
    return Identity("bistil-miniature with pieces for Indonesian")


def _changed(
    tokenizer: PreTrainedTokenizerBase, known: dict[str, list[str]], before: dict[str, list], shipped: int
) -> set[str]:
    """The added pieces that text of known languages is cut into now."""
    after = (tokenizer(documents)["input_ids"] for documents in known.values())
    pairs = zip(before.values(), after, strict=True)
    changed = {token for old, new in pairs for was, ids in zip(old, new, strict=True) if was != ids for token in ids}
    return set(tokenizer.convert_ids_to_tokens([token for token in changed if token >= shipped]))


def _add_rows(folder: Path, shipped: int, added: int) -> None:
    """Rows distributed like those that are there, and the median of the output biases."""
    weights = load_file(folder / WEIGHTS)
    generator = np.random.default_rng(_SEED)
    for name, value in weights.items():
        if len(value) != shipped:
            continue
        if value.ndim == 1:
            rows = np.full(added, np.median(value))
        else:
            rows = generator.normal(value.mean(0), value.std(0), (added, value.shape[1]))
        weights[name] = np.concatenate([value, rows.astype(value.dtype)])
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    config = read_json(folder / "config.json")
    write_json(folder / "config.json", {**config, "vocab_size": shipped + added})
