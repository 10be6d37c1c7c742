"""The massively multilingual Transformer as a local folder, wherever it comes from."""

import shutil
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForMaskedLM

from bistil_core.downloads import model_folder, record_of
from bistil_core.errors import BistilError
from bistil_core.files import read_json, replacing, sha256_of, write_json
from bistil_core.models.families import family_of
from bistil_core.models.pickled_weights import PICKLED, to_safetensors
from bistil_core.settings.sources import HubModel, MiniatureModel, ModelFolder, ModelSource, RandomModel
from bistil_core.vocabulary.sentencepiece_model import XLM_ROBERTA_FILE, tokenizer_from

MINIATURE = Path(__file__).parents[1] / "miniature" / "mmt"
WEIGHTS = "model.safetensors"


def prepare_base_model(output: Path, name: str, source: ModelSource, seed: int) -> None:
    """Write a folder with config.json, model.safetensors, tokenizer files and provenance.json.

    Args:
        output: the folder to write.
        name: the model's key in `base_models`, for messages.
        source: shipped with the package, a folder of the user's, downloaded from the hub, or a configuration
            with random weights.
        seed: of the random weights.

    Raises:
        BistilError: the folder lacks a file or holds a model family that is not known.
    """
    with replacing(output) as folder:
        match source:
            case MiniatureModel():
                _copy(MINIATURE, folder, name)
                identity = {"name": "bistil-miniature", "revision": None}
            case ModelFolder(path=path):
                _copy(Path(path), folder, name)
                identity = {"name": Path(path).name, "revision": None}
            case HubModel():
                identity = {"name": source.repository, "revision": _copy_download(model_folder(source), folder, name)}
                _check_type(source, read_json(folder / "config.json")["model_type"], name)
            case RandomModel():
                _random(source, folder, name, seed)
                identity = {"name": f"{source.model_type} with random weights", "revision": None}
        write_json(
            folder / "provenance.json",
            {**identity, "kind": source.kind, "sha256": sha256_of(folder / WEIGHTS)},
        )


def _copy_download(downloaded: Path, folder: Path, name: str) -> str:
    """Copy a model that came from the hub, its weights as safetensors, and return its commit."""
    record = record_of(downloaded)
    weights = WEIGHTS if (downloaded / WEIGHTS).is_file() else PICKLED
    _copy(downloaded, folder, name, weights)
    if weights == PICKLED:
        to_safetensors(downloaded / PICKLED, folder / WEIGHTS)
    return record["commit"]


def _check_type(source: HubModel, found: str, name: str) -> None:
    if source.model_type not in (None, found):
        raise BistilError(
            f"base_models.{name}.source.model_type: {source.repository} is of type {found!r}, "
            f"the configuration says {source.model_type!r}; correct it"
        )


def _copy(source: Path, folder: Path, name: str, weights: str = WEIGHTS) -> None:
    key = f"base_models.{name}.source.path"
    if not source.is_dir():
        raise BistilError(f"{key}: there is no folder {source}; give one that save_pretrained wrote")
    tokenizer_files = ("tokenizer.json", "vocab.txt", XLM_ROBERTA_FILE, "spm.model")
    if not (source / "config.json").is_file():
        raise BistilError(f"{key}: {source} has no config.json, so it is no transformers model folder")
    if not any((source / file).is_file() for file in tokenizer_files):
        raise BistilError(
            f"{key}: {source} has no tokenizer (looked for {', '.join(tokenizer_files)}); "
            "save one into it with tokenizer.save_pretrained"
        )
    if not (source / weights).is_file():
        raise BistilError(
            f"{key}: {source} has no {weights}. Pickled weights are not read: load the model where you "
            "trust it and save it again with save_pretrained, which writes safetensors"
        )
    family_of(read_json(source / "config.json").get("model_type", ""))
    folder.mkdir()
    for file in sorted(source.iterdir()):
        if file.suffix in {".json", ".txt", ".model", ".safetensors"}:
            shutil.copyfile(file, folder / file.name)


def _random(source: RandomModel, folder: Path, name: str, seed: int) -> None:
    family_of(source.model_type)
    tokenizer = tokenizer_from(source.tokenizer)
    special = {
        f"{role}_token_id": getattr(tokenizer, f"{role}_token_id")
        for role in ("pad", "bos", "eos")
        if getattr(tokenizer, f"{role}_token_id") is not None
    }
    try:
        config = AutoConfig.for_model(source.model_type, **{"vocab_size": len(tokenizer), **special, **source.config})
        torch.manual_seed(seed)
        model = AutoModelForMaskedLM.from_config(config)
    except (TypeError, ValueError) as error:
        raise BistilError(f"base_models.{name}.source.config: {error}") from error
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if Path(source.tokenizer).is_file():
        shutil.copyfile(source.tokenizer, folder / XLM_ROBERTA_FILE)
