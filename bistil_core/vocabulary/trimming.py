"""Model and tokenizer cut to one vocabulary, row for row (BiStil section 3.1)."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bistil_core.vocabulary.model_rows import adopt_vocabulary, check_fits, cut_rows, vocabulary_parameters
from bistil_core.vocabulary.trimmed_embeddings import checked_ids
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
    ids = checked_ids(kept_ids)
    kept = torch.from_numpy(ids)
    parameters = vocabulary_parameters(model)
    check_fits(model, parameters, kept)
    trimmed_tokenizer = trim_tokenizer(tokenizer, ids)
    # deepcopy takes what is in its memo for already copied: the full matrices are never held twice.
    trimmed = copy.deepcopy(model, cut_rows(parameters, kept))
    adopt_vocabulary(trimmed, kept)
    return trimmed, trimmed_tokenizer
