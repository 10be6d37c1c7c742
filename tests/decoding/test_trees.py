import itertools

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bistil_core.decoding.trees import best_tree


def is_tree(heads):
    """Whether every word reaches the root and exactly one depends on it."""
    for word in range(1, len(heads) + 1):
        seen = set()
        while word:
            if word in seen:
                return False
            seen.add(word)
            word = heads[word - 1]
    return list(heads).count(0) == 1


def value(scores, heads):
    return scores[np.arange(len(heads)), heads].sum()


def test_the_greedy_choice_where_it_is_a_tree():
    assert best_tree(np.array([[0.0, 0.0, 9.0], [9.0, 0.0, 0.0]])).tolist() == [2, 0]
    assert best_tree(np.array([[5.0, 0.0]])).tolist() == [0]


def test_a_cycle_is_broken_where_it_costs_least():
    # Both words want each other; the root is worth 1 to the first and 3 to the second.
    scores = np.array([[1.0, 0.0, 9.0], [3.0, 9.0, 0.0]])
    assert best_tree(scores).tolist() == [2, 0]


def test_a_second_root_is_given_up_even_for_a_much_worse_arc():
    scores = np.array([[100.0, 0.0, -50.0], [99.0, -1000.0, 0.0]])
    assert best_tree(scores).tolist() == [2, 0]


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_no_tree_with_one_root_is_better(words, seed):
    scores = np.random.default_rng(seed).normal(size=(words, words + 1))
    heads = best_tree(scores)
    assert is_tree(heads)
    every = itertools.product(range(words + 1), repeat=words)
    assert value(scores, heads) == pytest.approx(max(value(scores, np.array(tree)) for tree in every if is_tree(tree)))


@given(st.integers(6, 40), st.integers(0, 2**32 - 1))
def test_agreement_with_networkx_where_its_tree_has_one_root(words, seed):
    scores = np.random.default_rng(seed).normal(size=(words, words + 1))
    scores[:, 0] -= 100.0
    graph = networkx.DiGraph()
    graph.add_weighted_edges_from(
        (head, dependent, scores[dependent - 1, head])
        for dependent in range(1, words + 1)
        for head in range(words + 1)
        if head != dependent
    )
    reference = networkx.maximum_spanning_arborescence(graph)
    heads = best_tree(scores)
    assert is_tree(heads)
    assert value(scores, heads) == pytest.approx(reference.size(weight="weight"))
