"""Named entities: `tokens`, and `tags` 0 to 6 for LABELS in order (BIO2 over PER, ORG, LOC)."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from bistil_core.data.format import FieldError, Format
from bistil_core.data.readers.conll import read_conll
from bistil_core.data.words import words_and

TYPES = ("PER", "ORG", "LOC")
LABELS = ("O", *(f"{position}-{kind}" for kind in TYPES for position in "BI"))

UNUSED_TYPES = ("MISC", "DATE")
"""Types that CoNLL-2003 or MasakhaNER has and the other has not: the paper leaves them out."""

_NUMBER_OF = {label: number for number, label in enumerate(LABELS)}
_UNUSED = frozenset(f"{position}-{kind}" for kind in UNUSED_TYPES for position in "BI")
_ALLOWED = f"{', '.join(LABELS)}, 0 to {len(LABELS) - 1} in this order, B- or I- of {' or '.join(UNUSED_TYPES)} for O"


def normalise(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """One sentence with clean words and a number for each tag; None where it has no words.

    Tags of MISC and DATE become O. An I- tag that continues no entity of its type begins one, as conlleval reads
    it, and becomes B-: so IOB1 and broken BIO become BIO2.

    Raises:
        FieldError: lists of different lengths, a word without characters, an unknown tag.
    """
    tokens, tags = words_and(("tags",), "tokens", values)
    if not tokens:
        return None
    names = [_name(tag, index) for index, tag in enumerate(tags)]
    numbers = [_NUMBER_OF.get(name, 0) for name in begun(names)]
    return {"tokens": tokens, "tags": numbers}


def begun(tags: list[str]) -> list[str]:
    """The tags in BIO2: an I- tag that does not continue an entity of its type becomes B-."""
    before = ["O", *tags]
    return [
        f"B-{tag[2:]}" if tag.startswith("I-") and previous[1:] != tag[1:] else tag
        for previous, tag in zip(before, tags, strict=False)
    ]


def changes(values: Mapping[str, Any], sentence: Mapping[str, Any]) -> dict[str, int]:
    """How many tags became O for want of their type, and how many I- became B-."""
    pairs = [
        (_name(raw, index), LABELS[tag])
        for index, (raw, tag) in enumerate(zip(values["tags"], sentence["tags"], strict=True))
    ]
    return {
        "tags_made_o": sum(raw in _UNUSED for raw, _ in pairs),
        "tags_made_b": sum(raw[0] == "I" and tag[0] == "B" for raw, tag in pairs),
    }


def _name(tag: Any, index: int) -> str:
    if isinstance(tag, int) and not isinstance(tag, bool) and 0 <= tag < len(LABELS):
        return LABELS[tag]
    if isinstance(tag, str) and (tag in _NUMBER_OF or tag in _UNUSED):
        return tag
    raise FieldError("tags", tag, _ALLOWED, index)


FORMAT = Format(
    schema=pa.schema([("tokens", pa.list_(pa.string())), ("tags", pa.list_(pa.int8()))]),
    normalise=normalise,
    changes=changes,
    readers={".txt": read_conll, ".conll": read_conll},
    left_out="without words",
    labels=LABELS,
)
