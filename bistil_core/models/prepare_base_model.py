"""The massively multilingual Transformer as a local folder, wherever it comes from."""

from dataclasses import asdict
from pathlib import Path

from bistil_core.files import replacing, sha256_of, write_json
from bistil_core.models.base_sources import base_source
from bistil_core.models.model_files import WEIGHTS
from bistil_core.settings.sources import ModelSource


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
        identity = base_source(source.kind).write(source, folder, name, seed)
        write_json(
            folder / "provenance.json",
            {**asdict(identity), "kind": source.kind, "sha256": sha256_of(folder / WEIGHTS)},
        )
