import subprocess
import sys

import pytest

from bistil_core.data.format import FieldError
from bistil_core.data.formats import format_of
from bistil_core.data.formats.nli import LABELS, normalise


def pair(label, premise="P", hypothesis="H"):
    return {"premise": premise, "hypothesis": hypothesis, "label": label}


@pytest.mark.parametrize(
    ("label", "number"),
    [
        ("entailment", 0),
        ("Neutral", 1),
        ("contradiction ", 2),
        ("contradictory", 2),
        ("e", 0),
        ("N", 1),
        ("c", 2),
        (0, 0),
        (1, 1),
        (2, 2),
        ("2", 2),
    ],
)
def test_labels_in_all_their_spellings(label, number):
    assert normalise(pair(label))["label"] == number


def test_the_order_of_the_labels_is_that_of_xnli():
    assert LABELS == ("entailment", "neutral", "contradiction")


@pytest.mark.parametrize("label", ["-", "-1", -1])
def test_pairs_without_a_gold_label_are_left_out(label):
    assert normalise(pair(label)) is None


@pytest.mark.parametrize("label", ["entailed", "", 3, True, None, 1.0, "gold_label", float("nan")])
def test_other_labels_are_refused_with_those_that_are_allowed(label):
    with pytest.raises(FieldError, match="entailment, neutral, contradiction") as error:
        normalise(pair(label))
    assert repr(label) in str(error.value)


def test_sentences_are_cleaned_and_may_be_empty_but_not_missing():
    example = normalise(pair(0, premise=" cafe\u0301\tau lait ", hypothesis=""))
    assert (example["premise"], example["hypothesis"]) == ("café au lait", "")
    with pytest.raises(FieldError, match="hypothesis is None"):
        normalise(pair(0, hypothesis=None))


def test_formats_do_not_load_torch():
    code = "import sys; from bistil_core.data.formats import format_of; format_of('nli'); print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_the_schema_names_the_fields():
    assert format_of("nli").schema.names == ["premise", "hypothesis", "label"]
