"""Parts of speech: `words` and `upos`, an index into UPOS per word, from Universal Dependencies."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from bistil_core.data.format import FieldError, Format
from bistil_core.data.formats.dp import UPOS
from bistil_core.data.readers.conllu import read_conllu
from bistil_core.data.words import words_and

_NUMBER_OF = {tag: number for number, tag in enumerate(UPOS)}


def normalise(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """One sentence with clean words and a number for each part of speech; None where it has no words.

    Raises:
        FieldError: lists of different lengths, a word without characters, an unknown part of speech.
    """
    words, upos = words_and(("upos",), "words", values)
    if not words:
        return None
    for index, tag in enumerate(upos):
        if tag not in _NUMBER_OF:
            raise FieldError("upos", tag, ", ".join(UPOS), index)
    return {"words": words, "upos": [_NUMBER_OF[tag] for tag in upos]}


FORMAT = Format(
    schema=pa.schema([("words", pa.list_(pa.string())), ("upos", pa.list_(pa.int8()))]),
    normalise=normalise,
    readers={".conllu": read_conllu},
    left_out="without words",
    labels=UPOS,
)
