import datasets
import pyarrow as pa
import pytest

from bistil_core.data.examples import read_examples
from bistil_core.data.formats import format_of
from bistil_core.errors import BistilError


def test_class_numbers_are_read_as_their_names_in_lists_too(tmp_path):
    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "upos": datasets.List(datasets.ClassLabel(names=["VERB", "NOUN"])),
            "head": datasets.List(datasets.Value("string")),
            "deprel": datasets.List(datasets.Value("string")),
        }
    )
    rows = {"tokens": [["birds", "sing"]], "upos": [[1, 0]], "head": [["2", "0"]], "deprel": [["nsubj", "root"]]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "test.parquet")
    columns = {"words": "tokens", "heads": "head", "relations": "deprel"}
    table, _ = read_examples(tmp_path / "test.parquet", format_of("dp"), columns)
    assert table.to_pylist() == [
        {"words": ["birds", "sing"], "heads": [2, 0], "relations": ["nsubj", "root"], "upos": ["NOUN", "VERB"]}
    ]


def test_labels_in_another_order_are_told_by_their_names(tmp_path):
    names = ["contradiction", "entailment", "neutral"]
    features = datasets.Features(
        {
            "premise": datasets.Value("string"),
            "hypothesis": datasets.Value("string"),
            "label": datasets.ClassLabel(names=names),
        }
    )
    rows = {"premise": ["a", "b", "c"], "hypothesis": ["d", "e", "f"], "label": [0, 1, -1]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "test.parquet")
    table, dropped = read_examples(tmp_path / "test.parquet", format_of("nli"), None)
    assert table["label"].to_pylist() == [2, 0]
    assert table["label"].type == pa.int8()
    assert dropped == 1


def test_classes_of_another_task_are_refused_by_name(tmp_path):
    features = datasets.Features(
        {
            "premise": datasets.Value("string"),
            "hypothesis": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["yes", "no"]),
        }
    )
    rows = {"premise": ["a"], "hypothesis": ["b"], "label": [1]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "test.parquet")
    with pytest.raises(BistilError, match="label is 'no'"):
        read_examples(tmp_path / "test.parquet", format_of("nli"), None)
