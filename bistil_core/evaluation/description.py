"""What a model is: its size in parameters, bytes and floating-point operations."""

from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import PreTrainedModel


def describe_model(model: PreTrainedModel, folder: Path, tokens: int) -> dict[str, int]:
    """Figures of a model with its head.

    Args:
        model: in evaluation mode, attention implementation "eager" (fused attention hides its operations).
        folder: where its model.safetensors lies.
        tokens: example length for `flops_per_example`, one forward pass (a multiply-add counts as two).
    """
    config = model.config
    embeddings = model.get_input_embeddings().weight
    tokens = min(tokens, config.max_position_embeddings - 2)
    ids = torch.full((1, tokens), config.vocab_size - 1)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(input_ids=ids, attention_mask=torch.ones_like(ids))
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "embedding_parameters": embeddings.numel(),
        "vocabulary_size": embeddings.shape[0],
        "layers": config.num_hidden_layers,
        "hidden_size": config.hidden_size,
        "bytes": (folder / "model.safetensors").stat().st_size,
        "flops_per_example": counter.get_total_flops(),
        "tokens_per_example": tokens,
    }
