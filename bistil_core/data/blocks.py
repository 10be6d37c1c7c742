"""Text as blocks of token ids, and the masking that both models of phase 1 see (BiStil section 3.2)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from bistil_core.errors import BistilError


def tokenise_into_blocks(
    tokenizer: PreTrainedTokenizerBase, corpus: str | Path, block_length: int, limit: int | None = None
) -> np.ndarray:
    """Tokenise a corpus, join its documents and cut them into blocks; what is left at the very end is dropped.

    Args:
        tokenizer: adds its special tokens to every document.
        corpus: a Parquet file with a string column `text`.
        block_length: tokens per block.
        limit: stop after this many blocks; None for all.

    Returns:
        int32 ids, (blocks, block_length).

    Raises:
        BistilError: the text does not fill a single block.
    """
    pieces: list[np.ndarray] = []
    tokens = 0
    for batch in pq.ParquetFile(corpus).iter_batches(1000, columns=["text"]):
        encoded = tokenizer(batch["text"].to_pylist(), return_attention_mask=False, verbose=False)["input_ids"]
        pieces.extend(np.asarray(ids, dtype=np.int32) for ids in encoded)
        tokens += sum(map(len, encoded))
        if limit is not None and tokens >= limit * block_length:
            break
    blocks = tokens // block_length if limit is None else min(limit, tokens // block_length)
    if blocks == 0:
        raise BistilError(
            f"{corpus} has {tokens} tokens, less than one block of {block_length}: "
            "give more text or a smaller phase1.block_length"
        )
    return np.concatenate(pieces)[: blocks * block_length].reshape(blocks, block_length)


def mask_tokens(
    ids: np.ndarray,
    tokenizer: PreTrainedTokenizerBase,
    probability: float,
    seed: tuple[int, ...],
) -> np.ndarray:
    """A masked copy of `ids` as for MLM: of the chosen 80 % become <mask>, 10 % a random token, 10 % stay.

    Args:
        ids: integer token ids of any shape; special tokens are never chosen.
        tokenizer: names <mask>, the special tokens and the range of random tokens.
        probability: of a token's being chosen.
        seed: the same seed masks the same way, whatever was masked before.
    """
    return mask_with_labels(ids, MaskingIds.of(tokenizer), probability, seed)[0]


@dataclass(frozen=True)
class MaskingIds:
    """What masking must know of a vocabulary.

    Attributes:
        mask: id of <mask>.
        special: ids that are never chosen.
        size: ids are below it.
    """

    mask: int
    special: tuple[int, ...]
    size: int

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> "MaskingIds":
        """Those of a tokenizer."""
        return cls(tokenizer.mask_token_id, tuple(tokenizer.all_special_ids), len(tokenizer))

    def renumbered(self, kept_ids: np.ndarray) -> "MaskingIds":
        """Those of the vocabulary cut to the ascending `kept_ids`, all special ones among them."""
        mask, *special = np.searchsorted(kept_ids, (self.mask, *self.special)).tolist()
        return MaskingIds(mask, tuple(special), len(kept_ids))


def mask_with_labels(
    ids: np.ndarray,
    vocabulary: MaskingIds,
    probability: float,
    seed: tuple[int, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """What `mask_tokens` gives, and the labels of MLM: the ids where a token was chosen, else -100."""
    generator = np.random.default_rng(seed)
    chosen = generator.random(ids.shape) < probability
    chosen &= ~np.isin(ids, vocabulary.special)
    fate = generator.random(ids.shape)
    random_ids = generator.integers(vocabulary.size, size=ids.shape)
    masked = np.where(chosen & (fate < 0.8), vocabulary.mask, ids)
    return np.where(chosen & (fate >= 0.9), random_ids, masked), np.where(chosen, ids, -100)
