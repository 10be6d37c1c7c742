"""Natural language inference: `premise`, `hypothesis` and `label` 0, 1, 2 for LABELS in order."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from bistil_core.data.format import FieldError, Format
from bistil_core.data.text import clean

LABELS = ("entailment", "neutral", "contradiction")

_LABEL_OF = {
    **{name: index for index, label in enumerate(LABELS) for name in (label, label[0], str(index))},
    "contradictory": 2,
}

# MultiNLI and SNLI mark pairs without a majority label by a hyphen, their versions with numbers by -1.
_UNLABELLED = ("-", "-1")


def normalise(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """One example with clean sentences and a number for its label; None where it has no gold label.

    Labels may be LABELS, their initials, "contradictory" or 0, 1, 2, in any case of letters. An empty
    sentence stays: leaving the example out would change the benchmark.

    Raises:
        FieldError: a sentence that is not text, or an unknown label.
    """
    label = values["label"]
    name = str(label).strip().lower() if isinstance(label, str | int) and not isinstance(label, bool) else None
    if name in _UNLABELLED:
        return None
    if name not in _LABEL_OF:
        raise FieldError("label", label, ", ".join((*LABELS, "0, 1, 2 in this order", "- for none")))
    return {
        "premise": _sentence("premise", values),
        "hypothesis": _sentence("hypothesis", values),
        "label": _LABEL_OF[name],
    }


def _sentence(field: str, values: Mapping[str, Any]) -> str:
    if not isinstance(values[field], str):
        raise FieldError(field, values[field], "text")
    return clean(values[field])


FORMAT = Format(
    schema=pa.schema([("premise", pa.string()), ("hypothesis", pa.string()), ("label", pa.int8())]),
    normalise=normalise,
    labels=LABELS,
)
