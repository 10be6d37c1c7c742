"""Batches for the miniature's pretraining: packed documents with their translations, and pairs of texts."""

import zlib
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from bistil_core.miniature.languages import PRETRAINING_LANGUAGES
from bistil_core.miniature.pretraining_text import NO_SLOT, TextEncoder, draw_claims, slot_meanings

ROWS = 48
ROW_LENGTH = 64
POSITIONS = 256
_IGNORED = -100
_FIRST_POSITION = 2
_PAIRS_DRAWN = 400
_TRANSLATIONS = 0.6

_Row = tuple[list[int], list[int], list[float]]


@dataclass(frozen=True)
class Batch:
    """Model inputs, and for the contrastive loss which tokens say which slot.

    `spans` (int64, (2, S, T)) holds flat token indices, -1 for none, of slot s in a document and in its
    translation; `meanings` (int64, (S,)) is equal where two slots say the same.
    """

    input_ids: Tensor
    labels: Tensor
    attention_mask: Tensor
    position_ids: Tensor
    spans: Tensor | None = None
    meanings: Tensor | None = None


class Batches:
    """An endless, seeded supply of both kinds of batch."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, seed: int) -> None:
        """Args: tokenizer: of the model. seed: the same seed, the same batches in the same order."""
        self._tokenizer = tokenizer
        self._encoder = TextEncoder(tokenizer)
        self._random = Random(f"pretraining {seed}")
        self._generator = np.random.default_rng(seed)
        self._waiting: list[list[_Row]] = []
        self._ordinary = (4, len(tokenizer) - 1)

    def _mask(self, ids: np.ndarray, slots: np.ndarray, rates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """MLM's 80/10/10 on tokens (even rows) or on whole slots (odd rows) chosen at `rates` per token."""
        draws = self._generator.random(ids.shape)
        by_slot = self._generator.random((ids.shape[0], max(slots.max() + 1, 1)))
        rows = np.arange(ids.shape[0])[:, None]
        whole = (rows % 2 == 1) & (slots != NO_SLOT)
        chosen = np.where(whole, by_slot[rows, np.maximum(slots, 0)], draws) < rates
        chosen &= (ids >= self._ordinary[0]) & (ids < self._ordinary[1])
        fate = self._generator.random(ids.shape)
        random_ids = self._generator.integers(*self._ordinary, size=ids.shape)
        masked = np.where(chosen & (fate < 0.8), self._tokenizer.mask_token_id, ids)
        masked = np.where(chosen & (fate >= 0.9), random_ids, masked)
        return masked, np.where(chosen, ids, _IGNORED)

    def _positions(self, shape: tuple[int, int]) -> np.ndarray:
        """Every fourth row starts further on, so that all positions are learnt."""
        offsets = self._generator.integers(0, POSITIONS - shape[1] + 1, size=(shape[0], 1))
        offsets[np.arange(shape[0]) % 4 != 3] = 0
        return _FIRST_POSITION + offsets + np.arange(shape[1])[None, :]

    def _batch(
        self, ids: np.ndarray, slots: np.ndarray, rates: np.ndarray, attention_mask: np.ndarray, **rest: Tensor
    ) -> Batch:
        masked, labels = self._mask(ids, slots, rates)
        return Batch(*map(torch.from_numpy, (masked, labels, attention_mask, self._positions(ids.shape))), **rest)

    def documents(self) -> Batch:
        """Documents, then translations of them, joined and cut into rows as phase 1's blocks are."""
        size = ROWS * ROW_LENGTH
        sides: tuple[list[int], list[int]] = ([], [])
        places: tuple[list[int], list[int]] = ([], [])
        meanings: list[tuple] = []
        while min(map(len, sides)) < size // 2:
            claims = draw_claims(self._random, limit=6)
            said = slot_meanings(claims)
            numbers = {key: len(meanings) + index for index, key in enumerate(said)}
            meanings += said.values()
            for side, slots, language in zip(sides, places, self._random.sample(PRETRAINING_LANGUAGES, 2), strict=True):
                text = self._encoder.encode(claims, language, self._random, numbers)
                side += [0, *text.ids, 2]
                slots += [NO_SLOT, *text.slots, NO_SLOT]
        half = size // 2
        ids, slots = (np.array([part[:half] for part in parts], dtype=np.int64) for parts in (sides, places))
        spans = _spans(slots, len(meanings))
        kept = (spans[:, :, 0] >= 0).all(0)
        shape = (ROWS, ROW_LENGTH)
        ids, slots = ids.reshape(shape), slots.reshape(shape)
        return self._batch(
            ids,
            slots,
            np.full(shape, 0.15),
            np.ones(shape, dtype=np.int64),
            spans=torch.from_numpy(spans[:, kept]),
            meanings=torch.tensor([zlib.crc32(repr(meanings[index]).encode()) for index in np.flatnonzero(kept)]),
        )

    def pairs(self) -> Batch:
        """Pairs as a task sees them: a text with its translation, or with its end in another language."""
        if not self._waiting:
            self._waiting = self._drawn_pairs()
        rows = self._waiting.pop()
        length = max(len(ids) for ids, _, _ in rows)
        ids, slots, rates = (np.full((len(rows), length), fill) for fill in (1, NO_SLOT, 0.0))
        for index, row in enumerate(rows):
            for array, values in zip((ids, slots, rates), row, strict=True):
                array[index, : len(values)] = values
        return self._batch(ids, slots, rates, (ids != 1).astype(np.int64))

    def _drawn_pairs(self) -> list[list[_Row]]:
        """Some batches of pairs, in random order; those of a batch have similar lengths."""
        drawn = sorted((self._pair() for _ in range(_PAIRS_DRAWN)), key=lambda row: len(row[0]))
        batches: list[list[_Row]] = [[]]
        for row in drawn:
            if (len(batches[-1]) + 1) * len(row[0]) > ROWS * ROW_LENGTH:
                batches.append([])
            batches[-1].append(row)
        self._random.shuffle(batches)
        return batches

    def _pair(self) -> _Row:
        languages = self._random.sample(PRETRAINING_LANGUAGES, 2)
        claims = draw_claims(self._random, limit=3)
        if self._random.random() < _TRANSLATIONS:
            texts = (claims, claims)
            rates = self._random.choice(((0.5, 0.1), (0.1, 0.5)))
        else:
            texts = (claims[:1], claims[1:])
            rates = (0.15, 0.25)
        ids, slots, chances, used = [0], [NO_SLOT], [0.0], 0
        for part, language, rate in zip(texts, languages, rates, strict=True):
            said = slot_meanings(part)
            text = self._encoder.encode(
                part, language, self._random, {key: used + index for index, key in enumerate(said)}
            )
            used += len(said)
            ids += [*text.ids, 2, 2]
            slots += [*text.slots, NO_SLOT, NO_SLOT]
            chances += [rate] * (len(text.ids) + 2)
        return ids[:-1], slots[:-1], chances[:-1]


def _spans(slots: np.ndarray, count: int, width: int = 10) -> np.ndarray:
    """Flat token indices (2, count, width) of each slot on either side, -1 beyond its tokens."""
    spans = np.full((2, count, width), -1, dtype=np.int64)
    for side in range(2):
        used = np.zeros(count, dtype=np.int64)
        for position, slot in enumerate(slots[side]):
            if slot != NO_SLOT and used[slot] < width:
                spans[side, slot, used[slot]] = side * slots.shape[1] + position
                used[slot] += 1
    return spans
