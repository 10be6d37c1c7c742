"""Cutting a byte-pair encoding model: mmBERT, EuroBERT, RoBERTa."""

from collections import defaultdict
from collections.abc import Iterator

from tokenizers.pre_tokenizers import ByteLevel

from bistil_core.vocabulary.byte_tokens import byte_token_ids


def companions(definition: dict, kept: set[int]) -> set[int]:
    """Ids that must stay for the algorithm's sake.

    Both parts of every merge that makes a kept token, all the way down, so that a word whose tokens stay is
    still built by the same merges. And what spells a character that has no token: the bytes or, where nothing
    else catches it, the alphabet, since the library drops what it cannot spell.
    """
    model = definition["model"]
    vocabulary = model["vocab"]
    parts = defaultdict(set)
    for left, right, whole in _merges(model):
        parts[vocabulary[whole]] |= {vocabulary[left], vocabulary[right]}

    if _is_byte_level(definition):
        spelling = {vocabulary[letter] for letter in ByteLevel.alphabet() if letter in vocabulary}
    elif model["byte_fallback"]:
        spelling = byte_token_ids(vocabulary)
    elif model["unk_token"] is None:
        spelling = {index for index in vocabulary.values() if index not in parts}
    else:
        spelling = set()

    found = kept | spelling
    queue = list(found)
    while queue:
        for part in parts.get(queue.pop(), ()):
            if part not in found:
                found.add(part)
                queue.append(part)
    return found - kept


def surface_forms(definition: dict) -> dict[int, str]:
    """Id -> the text that a token stands for, without the marks of its place in a word; bytes stand for none."""
    model = definition["model"]
    prefix, suffix = model["continuing_subword_prefix"] or "", model["end_of_word_suffix"] or ""
    in_bytes = byte_token_ids(model["vocab"]) if model["byte_fallback"] else set()
    return {
        index: token.removeprefix(prefix).removesuffix(suffix)
        for token, index in model["vocab"].items()
        if index not in in_bytes
    }


def cut(definition: dict, new_ids: dict[int, int]) -> dict:
    """The model's JSON with just the tokens of `new_ids` (old id -> new id, in old order) and their merges."""
    model = definition["model"]
    vocabulary = {token: new_ids[index] for token, index in model["vocab"].items() if index in new_ids}
    merges = [
        [left, right]
        for left, right, whole in _merges(model)
        if left in vocabulary and right in vocabulary and whole in vocabulary
    ]
    return {**model, "vocab": vocabulary, "merges": merges}


def _merges(model: dict) -> Iterator[tuple[str, str, str]]:
    """(left, right, the token that they make), in rank order."""
    prefix = len(model["continuing_subword_prefix"] or "")
    for left, right in model["merges"]:
        yield left, right, left + right[prefix:]


def _is_byte_level(definition: dict) -> bool:
    steps = [definition["pre_tokenizer"], definition["normalizer"]]
    while steps:
        step = steps.pop()
        if step is not None and step["type"] == "ByteLevel":
            return True
        if step is not None:
            steps += step.get("pretokenizers", []) + step.get("normalizers", [])
    return False
