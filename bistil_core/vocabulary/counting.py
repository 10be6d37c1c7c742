"""Unigram counts, and which tokens they keep (BiStil section 3.1)."""

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
from transformers import PreTrainedTokenizerBase

from bistil_core.errors import BistilError
from bistil_core.vocabulary.algorithms import algorithm_of, definition_of, id_range, special_ids
from bistil_core.vocabulary.character_coverage import covering_token_ids
from bistil_core.vocabulary.tokenised_text import tokenised_in_batches


def count_tokens(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str]) -> np.ndarray:
    """How often each token occurs in `texts`.

    Args:
        tokenizer: a fast tokenizer; it adds no special tokens.
        texts: any iterable of strings, read once.

    Returns:
        int64 counts, (highest id + 1,), indexed by token id.

    Raises:
        BistilError: `texts` is a single string.
    """
    if isinstance(texts, str):
        raise BistilError("count_tokens: texts is one string; give a list of strings, or [text] for a single one")
    size = id_range(tokenizer)
    counts = np.zeros(size, dtype=np.int64)
    for rows in tokenised_in_batches(tokenizer, texts):
        counts += count_rows(rows, size)
    return counts


def count_rows(rows: pa.ListArray, size: int) -> np.ndarray:
    """How often each of the ids 0 to `size` - 1 occurs in rows of int64 ids: int64, (size,)."""
    return np.bincount(rows.flatten().to_numpy(), minlength=size)


def kept_token_ids(
    counts_by_language: Mapping[str, np.ndarray],
    threshold: float,
    tokenizer: PreTrainedTokenizerBase,
    character_coverage: float | None = None,
) -> np.ndarray:
    """The tokens whose unigram probability reaches `threshold` in one of the languages, and all special ones.

    Kept as well is what the tokenizer's algorithm cannot do without: the parts of kept byte-pair merges, the
    byte tokens that unknown characters fall back on, the unknown token.

    Args:
        counts_by_language: language -> counts as `count_tokens` gives them.
        threshold: least count / sum of counts, the maximum taken over the languages.
        tokenizer: the one that the counts were made with.
        character_coverage: keep as well every single-character token of the most frequent characters that make up
            this share of a language's text, so that they stay known; none: rare letters may go.

    Returns:
        int64 ids, (kept,), ascending.

    Raises:
        BistilError: no or empty counts, counts of another length than the tokenizer's id range, a threshold
            that no ordinary token reaches, or an algorithm that cannot be cut.
    """
    if not counts_by_language:
        raise BistilError("kept_token_ids: counts of no language were given; give at least one")
    definition = definition_of(tokenizer)
    algorithm = algorithm_of(definition)
    probability = np.zeros(id_range(tokenizer))
    for language, counts in counts_by_language.items():
        np.maximum(probability, _probabilities(language, counts, len(probability)), out=probability)

    tokens = np.fromiter(tokenizer.get_vocab().values(), dtype=np.int64)
    special = special_ids(tokenizer, definition)
    kept = set(tokens[probability[tokens] >= threshold].tolist())
    if kept <= special:
        ordinary = probability.copy()
        ordinary[list(special)] = 0.0
        raise BistilError(
            f"trim.threshold: {threshold} keeps no token but the special ones; the most frequent token has "
            f"probability {ordinary.max():.3g}, so choose a threshold below that (the paper's is 1.0e-6)"
        )
    kept |= special
    if character_coverage is not None:
        surfaces = {index: form for index, form in algorithm.surface_forms(definition).items() if index not in special}
        kept |= covering_token_ids(counts_by_language, character_coverage, surfaces)
    return np.array(sorted(kept | algorithm.companions(definition, kept)), dtype=np.int64)


def _probabilities(language: str, counts: np.ndarray, size: int) -> np.ndarray:
    counts = np.asarray(counts)
    if counts.shape != (size,):
        raise BistilError(
            f"counts of {language}: shape {counts.shape}, but the tokenizer has ids 0 to {size - 1}; "
            "count again with this tokenizer"
        )
    total = counts.sum()
    if total == 0:
        raise BistilError(f"counts of {language}: not a single token; its corpus is empty, give it text")
    return counts / total
