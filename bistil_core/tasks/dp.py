"""Dependency parsing: words in, a tree of universal relations out (Universal Dependencies).

The head is the shallow biaffine parser (`bistil_core/models/parser.py`); a tree is the best one with a single root.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bistil_core.data.formats.dp import RELATIONS
from bistil_core.decoding.trees import best_tree, likeliest_heads
from bistil_core.encoding.padding import IGNORED, padding_collator, ragged
from bistil_core.encoding.words import windows_of
from bistil_core.models.parser import IMPOSSIBLE, ParserOutput, at_heads, load_parser
from bistil_core.models.published_parser import translated
from bistil_core.task import Task, predicted

_NUMBER_OF = {relation: number for number, relation in enumerate(RELATIONS)}

Tree = tuple[np.ndarray, np.ndarray]
"""Head and relation of each word of a window."""


def load_model(folder: str | Path, **overrides) -> PreTrainedModel:
    """The folder's encoder with the parser on it."""
    return load_parser(folder, RELATIONS, **overrides)


def encode(examples: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Dataset:
    """Sentences with heads and relations; those that are too long are read in several windows.

    A word whose head lies in another window is not trained on there.
    """
    return ragged(_rows(examples, tokenizer, max_length))


def _rows(examples: pa.Table, tokenizer: PreTrainedTokenizerBase, max_length: int) -> Iterator[dict[str, Any]]:
    heads, relations = examples["heads"].to_pylist(), examples["relations"].to_pylist()
    for window in windows_of(examples["words"].to_pylist(), tokenizer, max_length):
        inside = slice(window.first_word, window.first_word + window.words)
        own_heads = [_within(head, inside) for head in heads[window.sentence][inside]]
        yield {
            "input_ids": window.input_ids,
            "attention_mask": [1] * len(window.input_ids),
            "word_of_token": window.word_of_token,
            "heads": own_heads,
            "relations": [
                IGNORED if head == IGNORED else _NUMBER_OF[relation]
                for head, relation in zip(own_heads, relations[window.sentence][inside], strict=True)
            ],
            "sentence": window.sentence,
        }


def collator(tokenizer: PreTrainedTokenizerBase) -> Callable[[list[dict]], dict[str, Tensor]]:
    """Pads such rows into batches; no valid head and no valid word stands for padding."""
    return padding_collator(tokenizer, word_of_token=-1, heads=IGNORED, relations=IGNORED)


def distilled(outputs: ParserOutput, batch: dict[str, Tensor]) -> Sequence[tuple[Tensor, Tensor]]:
    """Each word's distribution over heads, (B, W, W + 1), and over relations to its gold head, (B, W, R).

    Relations are compared at gold heads, the only place where the teacher learnt to tell them apart. What a teacher
    never learnt of roots, which words they are and their relation, is taken from the gold tree.
    """
    heads = batch["heads"]
    counted, arcs, relations = heads != IGNORED, outputs.arc_logits, at_heads(outputs.relation_logits, heads)
    if outputs.unlearnt_roots:
        is_root = (heads == 0)[..., None]
        among_words = torch.cat([torch.full_like(arcs[..., :1], IMPOSSIBLE), arcs[..., 1:]], dim=-1)
        arcs = torch.where(is_root, _certain(0, arcs), among_words)
        relations = torch.where(is_root, _certain(_NUMBER_OF["root"], relations), relations)
    return [(arcs, counted), (relations, counted)]


def _certain(choice: int, logits: Tensor) -> Tensor:
    """Logits (C,) that leave no other choice."""
    return torch.full_like(logits[0, 0], IMPOSSIBLE).index_fill(0, torch.tensor(choice, device=logits.device), 0.0)


def predict(outputs: ParserOutput, batch: dict[str, Tensor]) -> list[Tree]:
    """The best tree of each row, and the likeliest relation to each word's head in it."""
    return _decoded(outputs, batch, best_tree)


def predict_greedily(outputs: ParserOutput, batch: dict[str, Tensor]) -> list[Tree]:
    """The likeliest head of each word by itself, and the likeliest relation to it; not always a tree."""
    return _decoded(outputs, batch, likeliest_heads)


def _decoded(
    outputs: ParserOutput, batch: dict[str, Tensor], heads_of: Callable[[np.ndarray], np.ndarray]
) -> list[Tree]:
    arcs = outputs.arc_logits.float().cpu().numpy()
    relations = outputs.relation_logits.argmax(dim=-1).cpu().numpy()
    if outputs.unlearnt_roots:
        relations[:, :, 0] = _NUMBER_OF["root"]
    counts = (batch["word_of_token"].amax(dim=-1) + 1).tolist()
    trees = []
    for row, words in enumerate(counts):
        heads = heads_of(arcs[row, :words, : words + 1])
        trees.append((heads, relations[row, np.arange(words), heads]))
    return trees


def count(predictions: Sequence[Tree], examples: pa.Table, rows: Dataset, language: str) -> np.ndarray:
    """Each sentence's words with the right head, with the right relation as well, and all, (examples, 3)."""
    heads, relations = joined(predictions, rows, len(examples))
    counts = np.zeros((len(examples), 3))
    gold = zip(examples["heads"].to_pylist(), examples["relations"].to_pylist(), strict=True)
    for row, (gold_heads, gold_relations) in enumerate(gold):
        right = heads[row] == np.array(gold_heads)
        labelled = right & (relations[row] == np.array([_NUMBER_OF[relation] for relation in gold_relations]))
        counts[row] = right.sum(), labelled.sum(), len(gold_heads)
    return counts


def joined(predictions: Sequence[Tree], rows: Dataset, sentences: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Heads and relations of whole sentences; the roots of later windows depend on the first window's root."""
    heads: list[np.ndarray] = [np.zeros(0, dtype=np.int64)] * sentences
    relations: list[np.ndarray] = [np.zeros(0, dtype=np.int64)] * sentences
    for (found, kinds), sentence in zip(predictions, rows["sentence"], strict=True):
        before = heads[sentence]
        shifted = np.where(found > 0, found + len(before), 0)
        if (before == 0).any():
            shifted[found == 0] = int(np.flatnonzero(before == 0)[0]) + 1
        heads[sentence] = np.concatenate([before, shifted])
        relations[sentence] = np.concatenate([relations[sentence], kinds])
    return heads, relations


def metrics(totals: np.ndarray) -> dict[str, np.ndarray]:
    """Labelled and unlabelled attachment scores over all words, punctuation included (CoNLL 2018, gold words)."""
    return {"las": totals[..., 1] / totals[..., 2], "uas": totals[..., 0] / totals[..., 2]}


def scored(totals: np.ndarray) -> dict[str, int]:
    """The number of words."""
    return {"words": int(totals[2])}


def parse(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    sentences: Sequence[Sequence[str]],
    max_length: int = 256,
) -> list[list[tuple[int, str]]]:
    """Head (0 for the root, else the number of a word from 1) and relation of each word of each sentence."""
    rows = ragged(
        {
            "input_ids": window.input_ids,
            "attention_mask": [1] * len(window.input_ids),
            "word_of_token": window.word_of_token,
            "sentence": window.sentence,
        }
        for window in windows_of(sentences, tokenizer, max_length)
    )
    heads, relations = joined(predicted(TASK, model, tokenizer, rows), rows, len(sentences))
    return [
        [(int(head), RELATIONS[kind]) for head, kind in zip(*pair, strict=True)]
        for pair in zip(heads, relations, strict=True)
    ]


def _within(head: int, inside: slice) -> int:
    """A sentence's head number as the window has it: 0 for the root, IGNORED for a word of another window."""
    if head == 0:
        return 0
    return head - inside.start if inside.start < head <= inside.stop else IGNORED


TASK = Task(
    name="dp",
    metric="las",
    gold=("heads", "relations"),
    load_model=load_model,
    encode=encode,
    collator=collator,
    distilled=distilled,
    predict=predict,
    count=count,
    metrics=metrics,
    scored=scored,
    decodings={"greedy": predict_greedily},
    by_label=("parser.relation", "parser.relation_of_word", "parser.relation_of_head", "parser.relation_bias"),
    published_head=translated,
    pipeline=None,
    usage="""from transformers import AutoTokenizer
from bistil_core.tasks.dp import load_model, parse  # the parser is no class of transformers' own

folder = "path/to/this/folder"
parse(load_model(folder), AutoTokenizer.from_pretrained(folder), [["A", "sentence", "of", "words", "."]])""",
)
