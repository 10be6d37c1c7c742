"""The parser of published dependency-parsing SFTs (Ansell et al. 2022) in the terms of ours.

Their biaffine layers are one matrix each, over vectors with a 1 appended: arcs (1, D + 1, D), the word's side first,
and relations (R, D + 1, D + 1). The root is BERT's pooled output. In their training gold heads were masked by mBERT's
padding id, 0, which is the root's number too: which words are roots was neither learnt nor scored.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

ARCS, RELATIONS = "biaffine_arcs.weight", "biaffine_rels.weight"


def translated(head: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A head under the names of our parser, and the configuration values of a model that has it.

    Args:
        head: of such a file; any other is given back as it is.
    """
    if not {ARCS, RELATIONS} <= head.keys():
        return dict(head), {}
    (arcs,), relations = head[ARCS], head[RELATIONS]
    ours = {
        "parser.arc": arcs[:-1],
        "parser.arc_bias": arcs[-1],
        "parser.relation": relations[:, :-1, :-1],
        "parser.relation_of_word": relations[:, :-1, -1],
        "parser.relation_of_head": relations[:, -1, :-1],
        "parser.relation_bias": relations[:, -1, -1],
    }
    others = {name: value for name, value in head.items() if name not in (ARCS, RELATIONS)}
    return {**others, **{name: value.clone() for name, value in ours.items()}}, {"pooled_root": True}
