"""Model and tokenizer cut to one vocabulary, row for row (BiStil section 3.1)."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bistil_core.errors import BistilError
from bistil_core.vocabulary.model_rows import adopt_vocabulary, check_fits, cut_rows, vocabulary_parameters
from bistil_core.vocabulary.trimmed_tokenizer import trim_tokenizer


def trim_vocabulary(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, kept_ids: Sequence[int] | np.ndarray
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Copies of a model and its tokenizer with just the kept tokens, renumbered from 0 in their old order.

    A text of which no removed token was part gets the same tokens as before, and the model the same output.

    Args:
        model: a bare encoder or one with any head. Embedding rows, the output layer and its bias are cut,
            rows beyond the tokenizer's last token dropped, special ids and vocab_size of its config moved.
        tokenizer: a fast Unigram, WordPiece or BPE tokenizer.
        kept_ids: (kept,) ascending token ids with all special tokens, as `kept_token_ids` gives them.

    Returns:
        (model, tokenizer), new; what was given is not changed, and no memory is shared with it.

    Raises:
        BistilError: ids that are not ascending or no tokens, a special token not kept, an algorithm that
            cannot be cut, or a model with fewer rows than the ids need.
    """
    ids = _checked(kept_ids)
    kept = torch.from_numpy(ids)
    parameters = vocabulary_parameters(model)
    check_fits(model, parameters, kept)
    trimmed_tokenizer = trim_tokenizer(tokenizer, ids)
    # deepcopy takes what is in its memo for already copied: the full matrices are never held twice.
    trimmed = copy.deepcopy(model, cut_rows(parameters, kept))
    adopt_vocabulary(trimmed, kept)
    return trimmed, trimmed_tokenizer


def trim_embeddings(model: PreTrainedModel, kept_ids: Sequence[int] | np.ndarray) -> PreTrainedModel:
    """Cut the vocabulary of a model alone, **in place**, as `trim_vocabulary` does in a copy.

    Args:
        model: a bare encoder or one with any head.
        kept_ids: (kept,) ascending token ids.

    Returns:
        The same object.

    Raises:
        BistilError: ids that are not ascending, or a model with fewer rows than they need.
    """
    kept = torch.from_numpy(_checked(kept_ids))
    parameters = vocabulary_parameters(model)
    check_fits(model, parameters, kept)
    replacements = cut_rows(parameters, kept)
    for module in model.modules():
        for name, value in list(module.named_parameters(recurse=False, remove_duplicate=False)):
            if id(value) in replacements:
                setattr(module, name, replacements[id(value)])
    adopt_vocabulary(model, kept)
    return model


def _checked(kept_ids: Sequence[int] | np.ndarray) -> np.ndarray:
    ids = np.array(kept_ids)
    if ids.ndim != 1 or len(ids) == 0 or not np.issubdtype(ids.dtype, np.integer):
        raise BistilError(
            f"kept_ids: shape {ids.shape} of {ids.dtype}; give at least one token id, in one dimension of integers"
        )
    if ids[0] < 0 or (np.diff(ids) <= 0).any():
        raise BistilError("kept_ids: must be ascending, each id once, from 0; numpy.unique(kept_ids) makes them so")
    return ids.astype(np.int64)
