"""A model alone, cut to one vocabulary: what a training step needs whose tokenizer has been cut before."""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from bistil_core.errors import BistilError
from bistil_core.vocabulary.model_rows import adopt_vocabulary, check_fits, cut_rows, vocabulary_parameters


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
    kept = torch.from_numpy(checked_ids(kept_ids))
    parameters = vocabulary_parameters(model)
    check_fits(model, parameters, kept)
    replacements = cut_rows(parameters, kept)
    for module in model.modules():
        for name, value in list(module.named_parameters(recurse=False, remove_duplicate=False)):
            if id(value) in replacements:
                setattr(module, name, replacements[id(value)])
    adopt_vocabulary(model, kept)
    return model


def checked_ids(kept_ids: Sequence[int] | np.ndarray) -> np.ndarray:
    """The ids as an array (kept,), int64.

    Raises:
        BistilError: ids that are not ascending integers.
    """
    ids = np.array(kept_ids)
    if ids.ndim != 1 or len(ids) == 0 or not np.issubdtype(ids.dtype, np.integer):
        raise BistilError(
            f"kept_ids: shape {ids.shape} of {ids.dtype}; give at least one token id, in one dimension of integers"
        )
    if ids[0] < 0 or (np.diff(ids) <= 0).any():
        raise BistilError("kept_ids: must be ascending, each id once, from 0; numpy.unique(kept_ids) makes them so")
    return ids.astype(np.int64)
