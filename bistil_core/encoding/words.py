"""Sentences of words as windows of sub-words.

A sentence that does not fit is read in several windows, one after the other and cut between words, so that every
word is read exactly once and none is lost from training or from the score.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Window:
    """Some words of one sentence, with the special tokens of a single text around them.

    Attributes:
        sentence: index of the sentence.
        first_word: index, in the sentence, of the window's first word.
        input_ids: token ids of the window.
        word_of_token: for each token the index of its word in the window; -1 for special tokens.
    """

    sentence: int
    first_word: int
    input_ids: list[int]
    word_of_token: list[int]

    @property
    def words(self) -> int:
        """Words in the window."""
        return max(self.word_of_token) + 1

    def at_first_sub_words(self, values: Sequence[int], elsewhere: int) -> list[int]:
        """A number per token: of the sentence's `values` its word's, at the first sub-word; else `elsewhere`."""
        before = [-1, *self.word_of_token]
        return [
            values[self.first_word + word] if word not in (-1, previous) else elsewhere
            for previous, word in zip(before, self.word_of_token, strict=False)
        ]


def windows_of(
    sentences: Sequence[Sequence[str]], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> Iterator[Window]:
    """The windows of all sentences, in order, at most `max_length` tokens each.

    A word that the tokenizer makes nothing of is read as the unknown token; one that is longer than a window is cut.
    """
    prefix, suffix = special_tokens_around(tokenizer)
    room = max_length - len(prefix) - len(suffix)
    encoded = tokenizer([list(words) for words in sentences], is_split_into_words=True, add_special_tokens=False)
    for sentence, words in enumerate(sentences):
        ids = np.asarray(encoded["input_ids"][sentence], dtype=np.int64)
        owner = np.array([-1 if word is None else word for word in encoded.word_ids(sentence)], dtype=np.int64)
        pieces = [ids[owner == word][:room].tolist() or [tokenizer.unk_token_id] for word in range(len(words))]
        first = 0
        while first < len(pieces):
            end, length = first, 0
            while end < len(pieces) and length + len(pieces[end]) <= room:
                length += len(pieces[end])
                end += 1
            tokens = [(word, piece) for word in range(first, end) for piece in pieces[word]]
            yield Window(
                sentence=sentence,
                first_word=first,
                input_ids=[*prefix, *(piece for _, piece in tokens), *suffix],
                word_of_token=[*[-1] * len(prefix), *(word - first for word, _ in tokens), *[-1] * len(suffix)],
            )
            first = end


def special_tokens_around(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[int]]:
    """Ids that the tokenizer puts before and after a single text."""
    with_special = tokenizer("a", add_special_tokens=True)["input_ids"]
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    before = next(start for start in range(len(with_special)) if with_special[start : start + len(bare)] == bare)
    return with_special[:before], with_special[before + len(bare) :]
