"""The files of a base model."""

import shutil
from pathlib import Path

from bistil_core.errors import BistilError
from bistil_core.files import read_json
from bistil_core.models.families import family_of
from bistil_core.vocabulary.sentencepiece_model import XLM_ROBERTA_FILE

MINIATURE = Path(__file__).parents[1] / "miniature" / "mmt"
WEIGHTS = "model.safetensors"


def copy_model(source: Path, folder: Path, name: str, weights: str = WEIGHTS) -> None:
    """Copy a folder as `save_pretrained` writes it, but for weights that are no safetensors.

    Args:
        folder: to be made.
        name: the model's key in `base_models`, for messages.
        weights: the file that must be there.

    Raises:
        BistilError: the source lacks a file or holds a model family that is not known.
    """
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
