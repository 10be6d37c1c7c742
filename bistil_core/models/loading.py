"""Loading encoders and tokenizers from local folders: safetensors, no network, no remote code."""

from pathlib import Path

from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from bistil_core.models.families import family_of


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


def dropout_overrides(folder: str | Path, rate: float | None) -> dict[str, float]:
    """Configuration values that set every dropout rate within the encoder of `folder`; none for a rate of None."""
    if rate is None:
        return {}
    model_type = AutoConfig.from_pretrained(str(folder), local_files_only=True).model_type
    return dict.fromkeys(family_of(model_type).dropout, rate)
