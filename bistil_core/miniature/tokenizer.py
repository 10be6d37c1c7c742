"""The miniature's tokenizer: Unigram over morphs, in XLM-R's layout.

The vocabulary is learnt here and not by the tokenizers library, whose trainer gives other pieces every time.
"""

import math
from collections import Counter
from collections.abc import Iterable

from transformers import AddedToken, XLMRobertaTokenizer

_SPACE = "▁"
_LONGEST_PIECE = 14
_PUNCTUATION = "."
# Letters of languages to come: text of theirs falls apart into letters, never into <unk>.
_ALPHABET = "abcdefghijklmnopqrstuvwxyz'-"
_ROUNDS = 2
_SHARE_KEPT_PER_ROUND = 0.8
_NEVER = -1e9
# Description length of a letter in the vocabulary, in nats: what a piece has to save before it is worth keeping.
_NATS_PER_LETTER = 2.5


def _words(documents: Iterable[str]) -> Counter[str]:
    words: Counter[str] = Counter()
    for document in documents:
        words.update(_SPACE + word.rstrip(_PUNCTUATION) for word in document.split())
    return words


def _best_cut(word: str, scores: dict[str, float], banned: str | None = None) -> tuple[float, list[str]]:
    """The most probable segmentation (Viterbi) and its log probability, without the piece `banned`."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(word) + 1):
        candidate = (_NEVER, 0)
        for start in range(max(0, end - _LONGEST_PIECE), end):
            piece = word[start:end]
            if piece in scores and piece != banned:
                candidate = max(candidate, (best[start][0] + scores[piece], start))
        best.append(candidate)
    pieces, end = [], len(word)
    while end:
        start = best[end][1]
        pieces.append(word[start:end])
        end = start
    return best[-1][0], pieces[::-1]


def _estimate(weights: dict[str, float], scores: dict[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Hard EM: how often each piece is used, and the log probabilities that follow."""
    used = dict.fromkeys(scores, 0.0)
    for word, weight in weights.items():
        for piece in _best_cut(word, scores)[1]:
            used[piece] += weight
    total = sum(used.values())
    # A tenth of a use keeps letters that no cut needs.
    return used, {piece: math.log(max(count, 0.1) / total) for piece, count in used.items()}


def learn_pieces(documents: Iterable[str], size: int) -> list[tuple[str, float]]:
    """Learn a Unigram vocabulary from the word types of some text (Kudo 2018, with hard counts).

    A word weighs 1 plus the logarithm of its count: morphs come from types, and frequent words stay whole.

    Returns:
        `size` pieces with their log probabilities, the most probable first; the same text, the same pieces.
    """
    counts = _words(documents)
    median = sorted(counts.values())[len(counts) // 2]
    weights = {word: max(1.0, math.sqrt(counts[word] / median)) for word in sorted(counts)}
    letters = sorted({_SPACE, _PUNCTUATION, *_ALPHABET, *(letter for word in weights for letter in word)})
    found: Counter[str] = Counter()
    for word, weight in weights.items():
        for start in range(len(word)):
            for end in range(start + 2, min(len(word), start + _LONGEST_PIECE) + 1):
                found[word[start:end]] += weight
    # Substrings of one word only are of use as whole words alone.
    candidates = {piece: count * len(piece) for piece, count in found.items() if count > 0}
    total = sum(candidates.values())
    scores = {piece: math.log(value / total) for piece, value in sorted(candidates.items())}
    scores |= {letter: scores.get(letter, math.log(1.0 / total)) for letter in letters}
    while True:
        for _ in range(_ROUNDS):
            used, scores = _estimate(weights, scores)
        prunable = [piece for piece in scores if len(piece) > 1]
        excess = len(scores) - size
        if excess <= 0:
            break
        losses = {
            piece: used[piece] * (scores[piece] - _best_cut(piece, scores, banned=piece)[0])
            - _NATS_PER_LETTER * len(piece)
            for piece in prunable
        }
        ranked = sorted(prunable, key=lambda piece: (losses[piece], piece))
        for piece in ranked[: min(excess, max(1, int(len(prunable) * (1 - _SHARE_KEPT_PER_ROUND))))]:
            del scores[piece]
    return sorted(((piece, round(score, 6)) for piece, score in scores.items()), key=lambda item: (-item[1], item[0]))


def build_tokenizer(documents: Iterable[str], size: int) -> XLMRobertaTokenizer:
    """A tokenizer of `size` tokens in XLM-R's layout: <s> 0, <pad> 1, </s> 2, <unk> 3, pieces, <mask> last."""
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces = learn_pieces(documents, size - len(special) - 1)
    return XLMRobertaTokenizer(
        vocab=[*special, *pieces, ("<mask>", 0.0)],
        mask_token=AddedToken("<mask>", lstrip=True, special=True),
    )
