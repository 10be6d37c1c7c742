"""What a model has one row of per token, and what must follow when rows go: sizes, special ids, positions."""

import copy

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel

from bistil_core.errors import BistilError


def vocabulary_parameters(model: PreTrainedModel) -> dict[str, nn.Parameter]:
    """The parameters with one row per token: embeddings, output layer and its bias, under all of their names.

    They are those that would be a row longer if config.vocab_size were one more, which asks for no knowledge
    of the architecture.
    """
    shapes, longer = _shapes(model, extra_tokens=0), _shapes(model, extra_tokens=1)
    return {
        name: value
        for name, value in model.named_parameters(remove_duplicate=False)
        if name in shapes and shapes[name] != longer[name]
    }


def _shapes(model: PreTrainedModel, extra_tokens: int) -> dict[str, torch.Size]:
    config = copy.deepcopy(model.config)
    config.vocab_size += extra_tokens
    with torch.device("meta"):
        twin = type(model)(config)
    return {name: value.shape for name, value in twin.named_parameters(remove_duplicate=False)}


def check_fits(model: PreTrainedModel, parameters: dict[str, nn.Parameter], kept: Tensor) -> None:
    """Refuse ids beyond the embeddings, and the loss of a <pad> from which positions are counted.

    Raises:
        BistilError: either is so.
    """
    rows = min(len(value) for value in parameters.values())
    if kept[-1] >= rows:
        raise BistilError(
            f"kept_ids: the highest is {int(kept[-1])}, but the model's embedding matrix has {rows} rows; model and "
            "tokenizer do not belong together"
        )
    if _position_tables(model) and model.config.pad_token_id not in kept.tolist():
        raise BistilError(
            f"kept_ids lack the padding token {model.config.pad_token_id}, from which this model counts its "
            "positions; take them from kept_token_ids"
        )


def cut_rows(parameters: dict[str, nn.Parameter], kept: Tensor) -> dict[int, nn.Parameter]:
    """id() of each parameter -> a new one with the rows `kept` (int64, ascending); tied ones stay tied."""
    distinct = {id(value): value for value in parameters.values()}
    return {
        identity: nn.Parameter(value.detach()[kept.to(value.device)], requires_grad=value.requires_grad)
        for identity, value in distinct.items()
    }


def adopt_vocabulary(model: PreTrainedModel, kept: Tensor) -> None:
    """Bring a model whose rows are cut to `kept` in line with them, in place."""
    new_ids = {old: new for new, old in enumerate(kept.tolist())}
    old_size, old_padding = model.config.vocab_size, model.config.pad_token_id
    new_padding = new_ids.get(old_padding)
    if tables := _position_tables(model):
        _shift_positions(model, tables, old_padding - new_padding)
    for module in model.modules():
        if getattr(module, "vocab_size", None) == old_size:
            module.vocab_size = len(kept)
        if old_padding is not None and getattr(module, "padding_idx", None) == old_padding:
            module.padding_idx = new_padding
        if isinstance(module, nn.Embedding):
            module.num_embeddings = len(module.weight)
        if isinstance(module, nn.Linear):
            module.out_features = len(module.weight)
    for config in _configs(model):
        config.vocab_size = len(kept)
        for name, value in list(vars(config).items()):
            if name.endswith("_token_id") and isinstance(value, int):
                setattr(config, name, new_ids.get(value))


def _configs(model: PreTrainedModel) -> list[PretrainedConfig]:
    found = [getattr(module, "config", None) for module in model.modules()]
    return list({id(config): config for config in found if isinstance(config, PretrainedConfig)}.values())


def _position_tables(model: PreTrainedModel) -> list[nn.Embedding]:
    """Position embeddings of RoBERTa and its kin: they have a padding row, and positions count from it."""
    padding, words = model.config.pad_token_id, model.get_input_embeddings()
    return [
        module
        for module in model.modules()
        if isinstance(module, nn.Embedding)
        and module is not words
        and padding is not None
        and module.padding_idx == padding
    ]


def _shift_positions(model: PreTrainedModel, tables: list[nn.Embedding], shift: int) -> None:
    """Drop the first `shift` positions: as <pad> moves down, every token keeps its position's vector."""
    if shift == 0:
        return
    positions = model.config.max_position_embeddings
    for table in tables:
        table.weight = nn.Parameter(table.weight.detach()[shift:].clone(), table.weight.requires_grad)
    for module in model.modules():
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.shape == (1, positions):
                setattr(module, name, buffer[:, : positions - shift].clone())
    for config in _configs(model):
        config.max_position_embeddings = positions - shift
