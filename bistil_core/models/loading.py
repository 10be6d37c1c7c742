"""Loading encoders and tokenizers from local folders: safetensors, no network, no remote code."""

from pathlib import Path

from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase


def load_encoder(folder: str | Path) -> PreTrainedModel:
    """A folder's bare encoder with attention probabilities to show, in evaluation mode.

    A pooler that the folder has no weights for is left out rather than drawn at random.
    """
    encoder, report = AutoModel.from_pretrained(
        str(folder),
        local_files_only=True,
        use_safetensors=True,
        attn_implementation="eager",
        output_loading_info=True,
    )
    if any(name.startswith("pooler.") for name in report["missing_keys"]):
        encoder.pooler = None
    return encoder.eval()


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """A folder's fast tokenizer."""
    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
