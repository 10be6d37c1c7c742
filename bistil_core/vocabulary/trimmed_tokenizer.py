"""A tokenizer cut to fewer tokens, such that saving and loading it changes nothing."""

import json
import tempfile
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from bistil_core.errors import BistilError
from bistil_core.files import read_json, write_json
from bistil_core.vocabulary.algorithms import algorithm_of, definition_of, id_range, special_ids

# The class that takes tokenizer.json as it is, where a model's own class would rebuild another pipeline from it.
VERBATIM_CLASS = "TokenizersBackend"


def trim_tokenizer(tokenizer: PreTrainedTokenizerBase, kept_ids: np.ndarray) -> PreTrainedTokenizerBase:
    """A new tokenizer with the tokens of `kept_ids` alone, renumbered from 0 in their old order.

    Args:
        tokenizer: a fast Unigram, WordPiece or BPE tokenizer; it is not changed.
        kept_ids: (kept,) ascending ids, with all special tokens, as `kept_token_ids` gives them.

    Raises:
        BistilError: an id that is no token, a special token not kept, an algorithm that cannot be cut, or a
            tokenizer that transformers does not load the way it was saved.
    """
    definition = definition_of(tokenizer)
    algorithm = algorithm_of(definition)
    _check(tokenizer, definition, kept_ids)
    new_ids = {old: new for new, old in enumerate(kept_ids.tolist())}
    added = [{**token, "id": new_ids[token["id"]]} for token in definition["added_tokens"] if token["id"] in new_ids]
    cut = {
        **definition,
        "added_tokens": added,
        "post_processor": _renumbered(definition["post_processor"], new_ids),
        "model": algorithm.cut(definition, new_ids),
    }
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        trimmed = _load_faithfully(Path(folder), cut)
    trimmed.name_or_path = trimmed.init_kwargs["name_or_path"] = tokenizer.name_or_path
    return trimmed


def _check(tokenizer: PreTrainedTokenizerBase, definition: dict, kept_ids: np.ndarray) -> None:
    is_token = np.zeros(id_range(tokenizer), dtype=bool)
    is_token[list(tokenizer.get_vocab().values())] = True
    outside = [index for index in kept_ids.tolist() if index >= len(is_token) or not is_token[index]]
    if outside:
        raise BistilError(f"kept_ids: {outside[0]} is the id of no token; ids go from 0 to {len(is_token) - 1}")
    missing = special_ids(tokenizer, definition) - set(kept_ids.tolist())
    if missing:
        tokens = ", ".join(tokenizer.convert_ids_to_tokens(sorted(missing)))
        raise BistilError(f"kept_ids lack the special tokens {tokens}; take them from kept_token_ids")


def _renumbered(processor: dict | None, new_ids: dict[int, int]) -> dict | None:
    if processor is None:
        return None
    match processor["type"]:
        case "Sequence":
            return {**processor, "processors": [_renumbered(step, new_ids) for step in processor["processors"]]}
        case "TemplateProcessing":
            special = {
                name: {**token, "ids": [new_ids[index] for index in token["ids"]]}
                for name, token in processor["special_tokens"].items()
            }
            return {**processor, "special_tokens": special}
        case "BertProcessing" | "RobertaProcessing":
            ends = {end: [processor[end][0], new_ids[processor[end][1]]] for end in ("sep", "cls")}
            return {**processor, **ends}
    return processor


def _load_faithfully(folder: Path, definition: dict) -> PreTrainedTokenizerBase:
    """Load `definition` with the configuration in `folder`, by a class that does not rewrite it."""
    trimmed = _load(folder, definition)
    if _without_scores(definition_of(trimmed)) != _without_scores(definition):
        configuration = read_json(folder / "tokenizer_config.json")
        write_json(folder / "tokenizer_config.json", {**configuration, "tokenizer_class": VERBATIM_CLASS})
        trimmed = _load(folder, definition)
    loaded = definition_of(trimmed)
    if _without_scores(loaded) != _without_scores(definition):
        parts = [key for key in definition if _without_scores(loaded)[key] != _without_scores(definition)[key]]
        raise BistilError(
            f"the tokenizer ({type(trimmed).__name__}) does not come back from its own files: {', '.join(parts)} "
            "would change. Save it with save_pretrained, load it with AutoTokenizer, and start from that one"
        )
    # The library reads some scores one unit in the last place off; those that it then writes, it reads exactly.
    return trimmed if loaded == definition else _load(folder, loaded)


def _load(folder: Path, definition: dict) -> PreTrainedTokenizerBase:
    (folder / "tokenizer.json").write_text(json.dumps(definition, ensure_ascii=False), encoding="utf-8")
    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)


def _without_scores(definition: dict) -> dict:
    model = definition["model"]
    if model["type"] != "Unigram":
        return definition
    return {**definition, "model": {**model, "vocab": [piece for piece, _ in model["vocab"]]}}
