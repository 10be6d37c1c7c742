"""A configuration with random weights."""

import shutil
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForMaskedLM

from bistil_core.errors import BistilError
from bistil_core.models.base_sources import Identity
from bistil_core.models.families import family_of
from bistil_core.settings.sources import RandomModel
from bistil_core.vocabulary.sentencepiece_model import XLM_ROBERTA_FILE, tokenizer_from


def write(source: RandomModel, folder: Path, name: str, seed: int) -> Identity:
    """A model drawn by the seed, with the tokenizer that the source names.

    Raises:
        BistilError: values that the model type does not take.
    """
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
    return Identity(f"{source.model_type} with random weights")
