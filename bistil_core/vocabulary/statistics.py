"""How well a tokenizer fits a text: what a vocabulary cut is judged by."""

from collections.abc import Iterable, Iterator

import numpy as np
from transformers import PreTrainedTokenizerBase

from bistil_core.errors import BistilError
from bistil_core.vocabulary.tokenised_text import tokenised_in_batches


def tokenizer_statistics(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str]) -> dict[str, float]:
    """Fertility and unknown-token rate of a tokenizer on a text that its vocabulary was not chosen on.

    Args:
        tokenizer: a fast tokenizer; it adds no special tokens.
        texts: any iterable of strings, read once.

    Returns:
        `fertility`: tokens per word between white space; `unknown_rate`: the share of unknown tokens, 0 to 1.

    Raises:
        BistilError: there is no word in the texts.
    """
    words = tokens = unknown = 0

    def counted() -> Iterator[str]:
        nonlocal words
        for text in texts:
            words += len(text.split())
            yield text

    for rows in tokenised_in_batches(tokenizer, counted()):
        ids = rows.flatten().to_numpy()
        tokens += len(ids)
        if tokenizer.unk_token_id is not None:
            unknown += int(np.count_nonzero(ids == tokenizer.unk_token_id))
    if words == 0:
        raise BistilError("tokenizer_statistics: the texts have no word; give held-out text of the language")
    return {"fertility": tokens / words, "unknown_rate": unknown / tokens if tokens else 0.0}
