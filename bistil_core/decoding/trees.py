"""Dependency trees from arc scores: the maximum spanning tree with a single root (Chu and Liu 1965; Edmonds 1967)."""

import numpy as np


def best_tree(scores: np.ndarray) -> np.ndarray:
    """The highest-scoring tree over the words of a sentence in which exactly one word depends on the root.

    Args:
        scores: float (words, words + 1), of each word's head: column 0 is the root, column j the j-th word.

    Returns:
        int64 (words,): each word's head, 0 for the root.
    """
    count = len(scores)
    square = np.full((count + 1, count + 1), -np.inf)
    square[1:] = scores
    np.fill_diagonal(square, -np.inf)
    heads = square[1:].argmax(axis=1)
    if (heads == 0).sum() == 1 and _cycle(np.concatenate([[0], heads])) is None:
        return heads
    # One arc from the root is unavoidable; a fine above anything the other arcs can gain keeps it at one.
    finite = square[np.isfinite(square)]
    square[1:, 0] -= (finite.max() - finite.min() + 1.0) * (count + 1)
    return _arborescence(square)[1:]


def likeliest_heads(scores: np.ndarray) -> np.ndarray:
    """Each word's best head by itself; together they need not be a tree.

    Args:
        scores: float (words, words + 1), as `best_tree` takes them.

    Returns:
        int64 (words,): each word's head, 0 for the root; never the word itself.
    """
    others = scores.copy()
    words = np.arange(len(scores))
    others[words, words + 1] = -np.inf
    return others.argmax(axis=1)


def _arborescence(scores: np.ndarray) -> np.ndarray:
    """Heads of the maximum spanning arborescence rooted in node 0; scores[i, j] is that of the arc from j to i."""
    heads = scores.argmax(axis=1)
    heads[0] = 0
    cycle = _cycle(heads)
    if cycle is None:
        return heads
    # The cycle becomes one node, the last: what enters it is worth what it gains over the arc that it breaks.
    rest = np.setdiff1d(np.arange(len(scores)), cycle)
    within = scores[cycle, heads[cycle]]
    entering = scores[np.ix_(cycle, rest)] - within[:, None]
    leaving = scores[np.ix_(rest, cycle)]
    smaller = np.full((len(rest) + 1, len(rest) + 1), -np.inf)
    smaller[:-1, :-1] = scores[np.ix_(rest, rest)]
    smaller[-1, :-1] = entering.max(axis=0)
    smaller[:-1, -1] = leaving.max(axis=1)
    solved = _arborescence(smaller)
    for position, node in enumerate(rest):
        if position == 0:
            continue
        chosen = solved[position]
        heads[node] = cycle[leaving[position].argmax()] if chosen == len(rest) else rest[chosen]
    broken = entering[:, solved[-1]].argmax()
    heads[cycle[broken]] = rest[solved[-1]]
    return heads


def _cycle(heads: np.ndarray) -> np.ndarray | None:
    """The nodes of one cycle among `heads` (node 0 is the root), or None."""
    settled = {0}
    for start in range(1, len(heads)):
        way: list[int] = []
        node = start
        while node not in settled and node not in way:
            way.append(node)
            node = int(heads[node])
        if node in way:
            return np.array(sorted(way[way.index(node) :]))
        settled.update(way)
    return None
