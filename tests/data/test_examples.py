import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bistil_core.data.examples import read_examples
from bistil_core.data.formats import format_of
from bistil_core.data.formats.nli import LABELS
from bistil_core.errors import BistilError

NLI = format_of("nli")
ROWS = [("Mtu analala.", 'He said "no".', "entailment"), ("B, b", "d", "neutral"), ("e", "f", "contradiction")]
EXPECTED = [
    {"premise": "Mtu analala.", "hypothesis": 'He said "no".', "label": 0},
    {"premise": "B, b", "hypothesis": "d", "label": 1},
    {"premise": "e", "hypothesis": "f", "label": 2},
]


def write(folder, name, rows, header=("premise", "hypothesis", "label")):
    path = folder / name
    objects = [dict(zip(header or (), row, strict=True)) for row in rows] if header else []
    match path.suffix:
        case ".tsv":
            path.write_text("".join("\t".join(row) + "\n" for row in ([header] if header else []) + list(rows)))
        case ".csv":
            with open(path, "w", newline="") as file:
                csv.writer(file).writerows(([header] if header else []) + list(rows))
        case ".json":
            path.write_text(json.dumps(objects))
        case ".jsonl":
            path.write_text("".join(json.dumps(value) + "\n" for value in objects))
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(objects), path)
    return path


@pytest.mark.parametrize("suffix", ["tsv", "csv", "json", "jsonl", "parquet"])
def test_every_kind_of_file_gives_the_same_examples(tmp_path, suffix):
    table, dropped = read_examples(write(tmp_path, f"a.{suffix}", ROWS), NLI, None)
    assert table.schema == NLI.schema
    assert table.to_pylist() == EXPECTED
    assert dropped == 0


@pytest.mark.parametrize("suffix", ["tsv", "csv", "json", "jsonl", "parquet"])
def test_columns_are_found_by_the_names_that_the_user_gives(tmp_path, suffix):
    rows = [("x", *row) for row in ROWS]
    path = write(tmp_path, f"a.{suffix}", rows, header=("id", "sentence1", "sentence2", "label"))
    table, _ = read_examples(path, NLI, {"premise": "sentence1", "hypothesis": "sentence2"})
    assert table.to_pylist() == EXPECTED


@pytest.mark.parametrize("suffix", ["tsv", "csv"])
def test_a_table_without_a_header_line_is_read_in_file_order(tmp_path, suffix):
    rows = [(label, "x", hypothesis, premise) for premise, hypothesis, label in ROWS]
    path = write(tmp_path, f"a.{suffix}", rows, header=None)
    table, _ = read_examples(path, NLI, ["label", "_", "hypothesis", "premise"])
    assert table.to_pylist() == EXPECTED


def test_json_may_be_an_object_of_objects(tmp_path):
    path = tmp_path / "a.json"
    fields = ("premise", "hypothesis", "label")
    path.write_text(json.dumps({f"id{i}": dict(zip(fields, row, strict=True)) for i, row in enumerate(ROWS)}))
    assert read_examples(path, NLI, None)[0].to_pylist() == EXPECTED


def test_examples_without_a_gold_label_are_dropped_and_counted(tmp_path):
    path = write(tmp_path, "a.tsv", [("x", "y", "-"), *ROWS, ("x", "z", "-")])
    table, dropped = read_examples(path, NLI, None)
    assert table.to_pylist() == EXPECTED
    assert dropped == 2


def test_a_quotation_mark_opens_nothing_in_a_tsv(tmp_path):
    rows = [('"An open quote', "h", "e"), ('closed" here', '"h"', "n")]
    table, _ = read_examples(write(tmp_path, "a.tsv", rows), NLI, None)
    assert table["premise"].to_pylist() == ['"An open quote', 'closed" here']
    assert table["hypothesis"].to_pylist() == ["h", '"h"']


def test_a_cell_of_a_csv_may_have_commas_quotes_and_line_ends(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('premise,hypothesis,label\r\n"a, ""b""\nc",h,0\r\n')
    assert read_examples(path, NLI, None)[0]["premise"].to_pylist() == ['a, "b" c']


sentence = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufeff"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(rows=st.lists(st.tuples(sentence, sentence, st.sampled_from(LABELS)), min_size=1))
def test_all_kinds_agree_on_any_text(tmp_path, rows):
    tables = [
        read_examples(write(tmp_path, f"a.{suffix}", rows), NLI, None)[0]
        for suffix in ("tsv", "csv", "json", "jsonl", "parquet")
    ]
    assert all(table.equals(tables[0]) for table in tables)
    assert tables[0]["label"].to_pylist() == [LABELS.index(label) for _, _, label in rows]


def refused(path, columns=None):
    with pytest.raises(BistilError) as error:
        read_examples(path, NLI, columns)
    assert str(path) in str(error.value)
    return str(error.value)


HEADER = "premise\thypothesis\tlabel\n"


@pytest.mark.parametrize(
    ("name", "content", "columns", "says"),
    [
        ("a.tsv", "", None, ["empty"]),
        ("a.tsv", HEADER, None, ["no examples"]),
        ("a.tsv", HEADER + "a\tb\t-\n", None, ["no examples", "1 without a gold label"]),
        ("a.tsv", HEADER + "a\tb\te\n\nc\td\tmaybe\n", None, ["line 4", "label", "'maybe'", "entailment, neutral"]),
        ("a.tsv", HEADER + "a\tb\te\nc\td\n", None, ["line 3", "2 cells", "3 are expected", "'c'"]),
        ("a.tsv", HEADER + "a\tb\tx\te\n", None, ["line 2", "4 cells"]),
        ("a.tsv", "s1\ts2\tlabel\na\tb\te\n", None, ["'premise', 'hypothesis'", "'s1', 's2', 'label'", "columns: {"]),
        ("a.tsv", "A man.\tA boy.\tneutral\nc\td\te\n", None, ["columns: [premise, hypothesis, label]", "'A man.'"]),
        ("a.tsv", HEADER + "a\tb\te\n", ["premise", "hypothesis", "label"], ["line 1", "'label'", "`columns`"]),
        ("a.tsv", "premise\tpremise\tlabel\na\tb\te\n", None, ["line 1", "premise twice"]),
        ("a.tsv", HEADER + "a\tb\te\n", {"text": "premise"}, ["text", "premise, hypothesis, label"]),
        ("a.tsv", "a\tb\te\n", ["premise", "hypothesis"], ["label", "once"]),
        ("a.tsv", "a\tb\te\n", ["premise", "hypothesis", "label", "label"], ["label", "once"]),
        ("a.json", "[]", ["premise", "hypothesis", "label"], ["list", "mapping"]),
        ("a.csv", 'premise,hypothesis,label\na,"b,e\n', None, ["line 2", "quotation marks"]),
        ("a.json", "[]", None, ["no examples"]),
        ("a.json", "3", None, ["int", "list of objects"]),
        ("a.json", '[{"premise": 1}', None, ["not JSON"]),
        ("a.json", '["a"]', None, ["entry 0", "'a'"]),
        ("a.json", '{"x": {"premise": "a", "hypothesis": "b", "label": 7}}', None, ["entry 'x'", "label is 7"]),
        ("a.json", '[{"premise": null, "hypothesis": "b", "label": 0}]', None, ["entry 0", "premise is None"]),
        ("a.jsonl", '{"premise": "a", "hypothesis": "b"}\n', None, ["line 1", "'label'", "'premise', 'hypothesis'"]),
        ("a.jsonl", "{}\n", None, ["line 1", "'premise'"]),
        ("a.jsonl", "{\n", None, ["line 1", "not JSON"]),
        ("a.parquet", "not Parquet", None, ["not a Parquet file"]),
        ("a.xlsx", "x", None, [".xlsx", ".tsv, .csv, .json"]),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_value(tmp_path, name, content, columns, says):
    path = tmp_path / name
    path.write_text(content)
    message = refused(path, columns)
    assert [part for part in says if part not in message] == []


def test_invalid_utf8_is_named_with_its_line(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_bytes(HEADER.encode() + b"a\xff\tb\te\n")
    message = refused(path)
    assert "line 2" in message
    assert "0xff" in message


def test_a_missing_file_is_named(tmp_path):
    assert "no such file" in refused(tmp_path / "a.tsv")


def test_a_long_value_is_cut_in_the_message(tmp_path):
    path = write(tmp_path, "a.tsv", [("p", "h", "x" * 5000)])
    assert len(refused(path)) < 600
