"""Cutting a Unigram (SentencePiece) model: XLM-R, mDeBERTa."""

from bistil_core.vocabulary.byte_tokens import byte_token_ids


def companions(definition: dict, kept: set[int]) -> set[int]:
    """Ids that must stay for the algorithm's sake: the bytes, where unknown characters fall back on them."""
    return _byte_pieces(definition["model"]) - kept


def surface_forms(definition: dict) -> dict[int, str]:
    """Id -> the text that a piece stands for, white space being ▁; bytes stand for none."""
    model = definition["model"]
    in_bytes = _byte_pieces(model)
    return {index: piece for index, (piece, _) in enumerate(model["vocab"]) if index not in in_bytes}


def cut(definition: dict, new_ids: dict[int, int]) -> dict:
    """The model's JSON with the pieces of `new_ids` (old id -> new id, in old order) alone.

    A segmentation that uses no removed piece stays the best one: the kept pieces keep their scores, and so
    does the penalty of an unknown character, which the library sets 10 below the vocabulary's lowest score.
    """
    model = definition["model"]
    vocabulary = [list(entry) for index, entry in enumerate(model["vocab"]) if index in new_ids]
    lowest = min(score for _, score in model["vocab"])
    carriers = _never_matched(definition)
    if carriers and min(score for _, score in vocabulary) > lowest:
        vocabulary[new_ids[carriers[0]]][1] = lowest
    unknown = model["unk_id"]
    return {**model, "vocab": vocabulary, "unk_id": None if unknown is None else new_ids[unknown]}


def _byte_pieces(model: dict) -> set[int]:
    if not model["byte_fallback"]:
        return set()
    return byte_token_ids({piece: index for index, (piece, _) in enumerate(model["vocab"])})


def _never_matched(definition: dict) -> list[int]:
    """Old ids of pieces whose score no segmentation reads: the special tokens, split off beforehand.

    The unknown token comes last, since some tokenizer classes know it by its score of 0.
    """
    model = definition["model"]
    special = [
        token["id"] for token in definition["added_tokens"] if token["special"] and token["id"] < len(model["vocab"])
    ]
    return sorted(special, key=lambda index: (index == model["unk_id"], index))
