"""A fast tokenizer as its JSON definition, and the module that knows the definition's algorithm."""

import json
from types import ModuleType

from transformers import PreTrainedTokenizerBase

from bistil_core.errors import BistilError
from bistil_core.vocabulary import bpe, unigram, wordpiece

ALGORITHMS = {"Unigram": unigram, "WordPiece": wordpiece, "BPE": bpe}


def definition_of(tokenizer: PreTrainedTokenizerBase) -> dict:
    """The content of its tokenizer.json, without the truncation and padding of whichever call came last.

    Raises:
        BistilError: it is no fast tokenizer.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise BistilError(
            f"{type(tokenizer).__name__} is no fast tokenizer; vocabularies are cut in tokenizer.json, which "
            "AutoTokenizer.from_pretrained gives for every supported model"
        )
    return {**json.loads(tokenizer.backend_tokenizer.to_str()), "truncation": None, "padding": None}


def algorithm_of(definition: dict) -> ModuleType:
    """The module with `companions`, `surface_forms` and `cut` for the definition's model type.

    Raises:
        BistilError: there is none for that type.
    """
    kind = definition["model"]["type"]
    if kind not in ALGORITHMS:
        raise BistilError(
            f"the tokenizer's algorithm is {kind}, which cannot be cut; supported are {', '.join(ALGORITHMS)}"
        )
    return ALGORITHMS[kind]


def special_ids(tokenizer: PreTrainedTokenizerBase, definition: dict) -> set[int]:
    """Ids of all special tokens: by role, by flag, the unknown token, and those put around every text."""
    model = definition["model"]
    flagged = {token["id"] for token in definition["added_tokens"] if token["special"]}
    unknown = {model.get("unk_id"), tokenizer.get_vocab().get(model.get("unk_token"))} - {None}
    around = set(_post_processor_ids(definition["post_processor"]))
    return flagged | unknown | around | set(tokenizer.all_special_ids)


def _post_processor_ids(processor: dict | None) -> list[int]:
    if processor is None:
        return []
    match processor["type"]:
        case "Sequence":
            return [index for step in processor["processors"] for index in _post_processor_ids(step)]
        case "TemplateProcessing":
            return [index for token in processor["special_tokens"].values() for index in token["ids"]]
        case "BertProcessing" | "RobertaProcessing":
            return [processor["sep"][1], processor["cls"][1]]
    return []


def id_range(tokenizer: PreTrainedTokenizerBase) -> int:
    """One more than the highest id; more than the number of tokens where ids are skipped."""
    return max(tokenizer.get_vocab().values()) + 1
