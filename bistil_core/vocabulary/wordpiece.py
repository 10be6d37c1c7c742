"""Cutting a WordPiece model: mBERT."""


def companions(definition: dict, kept: set[int]) -> set[int]:
    """Ids that must stay for the algorithm's sake: none."""
    return set()


def surface_forms(definition: dict) -> dict[int, str]:
    """Id -> the text that a token stands for, without the mark of a continuation."""
    model = definition["model"]
    prefix = model["continuing_subword_prefix"]
    return {index: token.removeprefix(prefix) for token, index in model["vocab"].items()}


def cut(definition: dict, new_ids: dict[int, int]) -> dict:
    """The model's JSON with the tokens of `new_ids` (old id -> new id, in old order) alone.

    The longest match from the left stays the longest where no removed token was matched. A word that was
    unknown as a whole may become known, should a removed token have led its match into a dead end.
    """
    model = definition["model"]
    return {**model, "vocab": {token: new_ids[index] for token, index in model["vocab"].items() if index in new_ids}}
