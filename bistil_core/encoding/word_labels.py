"""One label per word, read and predicted at its first sub-word: named entities, parts of speech."""

from collections.abc import Callable, Sequence

import numpy as np
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedTokenizerBase
from transformers.modeling_outputs import ModelOutput

from bistil_core.encoding.padding import IGNORED, padding_collator, ragged
from bistil_core.encoding.words import windows_of


def encode_word_labels(
    sentences: Sequence[Sequence[str]],
    labels: Sequence[Sequence[int]],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
) -> Dataset:
    """Rows of input_ids, attention_mask, `labels` that are IGNORED but at first sub-words, and `sentence`, an index."""
    return ragged(
        {
            "input_ids": window.input_ids,
            "attention_mask": [1] * len(window.input_ids),
            "labels": window.at_first_sub_words(labels[window.sentence], IGNORED),
            "sentence": window.sentence,
        }
        for window in windows_of(sentences, tokenizer, max_length)
    )


def word_label_collator(tokenizer: PreTrainedTokenizerBase) -> Callable[[list[dict]], dict[str, Tensor]]:
    """Pads such rows into batches."""
    return padding_collator(tokenizer, labels=IGNORED)


def distilled_word_labels(outputs: ModelOutput, batch: dict[str, Tensor]) -> Sequence[tuple[Tensor, Tensor]]:
    """One distribution per word, (B, L, C), counted at first sub-words only."""
    return [(outputs.logits, batch["labels"] != IGNORED)]


def predict_word_labels(outputs: ModelOutput, batch: dict[str, Tensor]) -> list[list[int]]:
    """The likeliest label of each word of each row."""
    likeliest = outputs.logits.argmax(dim=-1).cpu()
    return [row[mask].tolist() for row, mask in zip(likeliest, (batch["labels"] != IGNORED).cpu(), strict=True)]


def joined(predictions: Sequence[Sequence[int]], rows: Dataset, sentences: int) -> list[list[int]]:
    """The labels of whole sentences from those of their rows."""
    whole: list[list[int]] = [[] for _ in range(sentences)]
    for prediction, sentence in zip(predictions, np.asarray(rows["sentence"]), strict=True):
        whole[sentence].extend(prediction)
    return whole
