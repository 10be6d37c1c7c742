"""Dependency trees: `words`, `heads` (0 for the root, else the head's number from 1), `relations` and `upos`."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from bistil_core.data.format import FieldError, Format
from bistil_core.data.readers.conllu import read_conllu
from bistil_core.data.words import words_and

_OPEN = ("ADJ", "ADV", "INTJ", "NOUN", "PROPN", "VERB")
_CLOSED = ("ADP", "AUX", "CCONJ", "DET", "NUM", "PART", "PRON", "SCONJ")
UPOS = (*_OPEN, *_CLOSED, "PUNCT", "SYM", "X")
"""The universal parts of speech of Universal Dependencies."""

_OF_NOUNS = ("nsubj", "obj", "iobj", "obl", "vocative", "expl", "dislocated", "nmod", "appos", "nummod")
_OF_CLAUSES = ("csubj", "ccomp", "xcomp", "advcl", "acl")
_OF_MODIFIERS = ("advmod", "discourse", "amod", "aux", "cop", "mark", "det", "clf", "case")
_OF_JOINED_WORDS = ("conj", "cc", "fixed", "flat", "list", "parataxis", "compound", "orphan", "goeswith", "reparandum")
RELATIONS = (*_OF_NOUNS, *_OF_CLAUSES, *_OF_MODIFIERS, *_OF_JOINED_WORDS, "punct", "root", "dep")
"""The 37 universal relations of Universal Dependencies 2."""


def universal_relation(relation: str) -> str:
    """The relation without its subtype, which is each language's own: "nmod" for "nmod:poss"."""
    return relation.partition(":")[0]


def normalise(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """One sentence with clean words, a tree over them and relations without subtypes; None where it has no words.

    Raises:
        FieldError: lists of different lengths, a word without characters, an unknown part of speech or
            relation, a head that is none of the words, no root or several, a cycle.
    """
    words, heads, relations, upos = words_and(("heads", "relations", "upos"), "words", values)
    if not words:
        return None
    for index, tag in enumerate(upos):
        if tag not in UPOS:
            raise FieldError("upos", tag, ", ".join(UPOS), index)
    numbers = [_head(head, index, len(words)) for index, head in enumerate(heads)]
    _check_tree(numbers)
    return {
        "words": words,
        "heads": numbers,
        "relations": [_relation(relation, index) for index, relation in enumerate(relations)],
        "upos": upos,
    }


def changes(values: Mapping[str, Any], sentence: Mapping[str, Any]) -> dict[str, int]:
    """How many relations lost a subtype."""
    pairs = zip(values["relations"], sentence["relations"], strict=True)
    return {"subtypes_cut": sum(raw != relation for raw, relation in pairs)}


def _head(head: Any, index: int, words: int) -> int:
    written = isinstance(head, str) and head.isascii() and head.isdecimal()
    number = int(head) if written else head
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= words:
        raise FieldError("heads", head, f"0 for the root, or the number of a word, 1 to {words}", index)
    return number


def _relation(relation: Any, index: int) -> str:
    name = universal_relation(relation) if isinstance(relation, str) else ""
    if name not in RELATIONS:
        allowed = f"one of {', '.join(RELATIONS)}, with or without a subtype as in nmod:poss"
        raise FieldError("relations", relation, allowed, index)
    return name


def _check_tree(heads: list[int]) -> None:
    """Refuse heads that make no tree with one root: a word from which no way leads up to the root is in a cycle."""
    roots = [index for index, head in enumerate(heads) if head == 0]
    if len(roots) > 1:
        raise FieldError("heads", 0, f"one root; word {roots[0] + 1} is one already", roots[1])
    rooted = set(roots)
    for start in range(len(heads)):
        way = []
        index = start
        while index not in rooted:
            if index in way:
                allowed = f"a tree; word {index + 1} is its own head, directly or through others"
                raise FieldError("heads", heads[index], allowed, index)
            way.append(index)
            index = heads[index] - 1
        rooted.update(way)


FORMAT = Format(
    schema=pa.schema(
        [
            ("words", pa.list_(pa.string())),
            ("heads", pa.list_(pa.int16())),
            ("relations", pa.list_(pa.string())),
            ("upos", pa.list_(pa.string())),
        ]
    ),
    normalise=normalise,
    changes=changes,
    readers={".conllu": read_conllu},
    left_out="without words",
    labels=RELATIONS,
)
