import json
import subprocess
import sys
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bistil_core.data.examples import read_examples
from bistil_core.data.format import FieldError
from bistil_core.data.formats import format_of
from bistil_core.data.formats.qa import nearest_occurrence, normalise
from bistil_core.data.prepare_test_data import prepare_test_data
from bistil_core.data.text import clean
from bistil_core.errors import BistilError
from bistil_core.files import read_json
from bistil_core.settings.sources import ExampleFiles
from tests.data.real_files import real_files

QA = format_of("qa")


def read(path, columns=None):
    changed = Counter()
    table, dropped = read_examples(path, QA, columns, changed)
    return table, dropped, changed


def answer(text, start):
    return {"text": text, "answer_start": start}


def row(context="Juma ana paka.", answers=(("Juma", 0),), question="Nani?", name="q1"):
    return {"id": name, "context": context, "question": question, "answers": [answer(*each) for each in answers]}


def squad(*rows):
    """The rows, each in an article of its own, as SQuAD nests them."""
    articles = [
        {"title": "t", "paragraphs": [{"context": values["context"], "qas": [dict(values, context="no")]}]}
        for values in rows
    ]
    return json.dumps({"version": "1.1", "data": articles})


def text_file(folder, text, name="a.json"):
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_the_columns_are_those_that_training_and_scoring_need():
    columns = [(name, pa.string()) for name in ("id", "context", "question")]
    lists = [("answer_texts", pa.list_(pa.string())), ("answer_starts", pa.list_(pa.int32()))]
    assert QA.schema == pa.schema(columns + lists)


def test_squad_files_are_read_question_by_question_with_all_answers(tmp_path):
    paragraph = {
        "context": "Juma ana  paka.\nPaka analala.",
        "qas": [
            {"id": "q1", "question": " Nani\u00a0ana paka? ", "answers": [answer("Juma", 0), answer("Juma ana", 0)]},
            {"id": 7, "question": "Nini?", "answers": [answer("paka.\nPaka", 10)]},
        ],
    }
    path = text_file(tmp_path, json.dumps({"data": [{"paragraphs": [paragraph]}, {"paragraphs": []}]}, indent=1))
    table, dropped, changed = read(path)
    assert table.schema == QA.schema
    assert table.to_pylist() == [
        {
            "id": "q1",
            "context": paragraph["context"],
            "question": "Nani ana paka?",
            "answer_texts": ["Juma", "Juma ana"],
            "answer_starts": [0, 0],
        },
        {
            "id": "7",
            "context": paragraph["context"],
            "question": "Nini?",
            "answer_texts": ["paka.\nPaka"],
            "answer_starts": [10],
        },
    ]
    assert (dropped, changed) == (0, {"answers_moved": 0})


def test_the_flat_form_has_its_columns_under_names_of_the_users(tmp_path):
    values = {"key": "q1", "passage": "a b", "question": "?", "answers": {"text": ["b"], "answer_start": [2]}}
    pq.write_table(pa.Table.from_pylist([values]), tmp_path / "a.parquet")
    for path in (tmp_path / "a.parquet", text_file(tmp_path, json.dumps(values) + "\n", "a.jsonl")):
        table, _, _ = read(path, {"id": "key", "context": "passage"})
        assert table.to_pylist() == [
            {"id": "q1", "context": "a b", "question": "?", "answer_texts": ["b"], "answer_starts": [2]}
        ]


def test_offsets_count_characters_of_a_context_that_stays_as_it_is():
    context = "\ufeff  cafe\u0301 \U0001f600\t\u200bpaka\r\n "
    example = normalise(row(context, [("paka", context.index("paka"))]))
    assert example["context"] == context
    assert example["answer_starts"] == [12]


@pytest.mark.parametrize(
    ("start", "moved"), [(0, 0), (1, 0), (4, 0), (6, 10), (10, 10), (12, 10), (16, 20), (99, 20), (-1, 0)]
)
def test_an_answer_that_is_not_at_its_offset_moves_to_where_it_stands_nearest(tmp_path, start, moved):
    context = "paka------paka------paka"
    table, _, changed = read(text_file(tmp_path, squad(row(context, [("paka", start), ("paka", 20)]))))
    assert table["answer_starts"].to_pylist() == [[moved, 20]]
    assert changed == {"answers_moved": int(start != moved)}


def test_of_two_places_equally_near_the_earlier_is_taken():
    assert nearest_occurrence("a..a", "a", 1) == 0
    assert nearest_occurrence("a...a", "a", 2) == 0
    assert nearest_occurrence("aaa", "aa", 1) == 1
    assert nearest_occurrence("b", "a", 0) is None


def test_moved_answers_are_counted_logged_and_stand_in_the_provenance(tmp_path, caplog):
    text_file(tmp_path, squad(row(answers=[("paka", 0), ("Juma", 1), ("ana", 5)]), row(answers=[])), "sw.json")
    source = ExampleFiles(kind="files", path=f"{tmp_path}/{{language}}.json")
    with caplog.at_level("INFO", "bistil"):
        prepare_test_data(tmp_path / "out", "qa", "sw", source, seed=1)
    assert pq.read_table(tmp_path / "out" / "test.parquet").schema == QA.schema
    entry = read_json(tmp_path / "out" / "provenance.json")["test"]
    assert (entry["examples"], entry["dropped"], entry["answers_moved"]) == (1, 1, 2)
    messages = [record.getMessage() for record in caplog.records]
    assert f"{tmp_path}/sw.json: answers_moved: 2" in messages
    assert f"{tmp_path}/sw.json: 1 examples without a gold answer left out" in messages


LOST = json.dumps(row(answers=[("mbwa", 0)]))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.json", squad(row(), row(answers=[("mbwa", 0)], name="q2")), ["data[1]", "'q2'", "'mbwa'", "its context"]),
        ("a.json", squad(row(answers=[("", 0)])), ["data[0].paragraphs[0].qas[0]", "'q1'", "''"]),
        ("a.json", squad(row(answers=[(" ", 4)])), ["'q1'", "' '"]),
        ("a.json", squad(row(answers=[("Juma", "0")])), ["answer_start", "'q1'", "'0'", "number"]),
        ("a.json", squad(row(answers=[(None, 0)])), ["'q1'", "None"]),
        ("a.json", squad(row(answers=[])), ["no examples", "1 without a gold answer"]),
        ("a.json", squad(row(context=None)), ["'q1'", "context", "None"]),
        ("a.json", squad(row(context="\ud800 Juma", answers=[("Juma", 2)])), ["'q1'", "surrogate"]),
        ("a.json", squad(row(question=3)), ["question", "'q1'", "3"]),
        ("a.json", squad(row(name=None)), ["data[0].paragraphs[0].qas[0]", "id is None"]),
        ("a.json", squad(row() | {"answers": "Juma"}), ["'q1'", "'Juma'", "answer_start: [...]"]),
        ("a.json", squad(row() | {"answers": ["Juma"]}), ["'q1'", "['Juma']"]),
        ("a.json", '{"data": [{"paragraphs": [{"qas": []}]}]}', ["$.data[0].paragraphs[0]", "`context`", "qas"]),
        ("a.json", '{"data": [{"paragraphs": 3}]}', ["$.data[0]", "paragraphs is 3", "list"]),
        ("a.json", json.dumps([row()]), ["$", "`data`", ".jsonl"]),
        ("a.json", '{"data": [', ["not JSON"]),
        ("a.json", '{"data": []}', ["no examples"]),
        ("a.jsonl", json.dumps(row()) + "\n" + LOST + "\n", ["line 2", "'q1'", "'mbwa'"]),
        ("a.jsonl", json.dumps(row() | {"answers": {"text": ["a"], "answer_start": []}}), ["line 1", "'q1'"]),
        ("a.jsonl", '{"context": "a", "question": "b", "answers": []}\n', ["line 1", "'id'", "columns"]),
        ("a.tsv", "id\tcontext\n", [".tsv", ".json, .jsonl, .parquet"]),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_value(tmp_path, name, content, says):
    path = text_file(tmp_path, content, name)
    with pytest.raises(BistilError) as error:
        read(path)
    assert [part for part in (str(path), *says) if part not in str(error.value)] == []


@pytest.mark.parametrize("answers", [None, 3, [3], {"text": "a"}, {"text": ["a"], "answer_start": 0}])
def test_answers_of_another_shape_are_refused_with_the_question(answers):
    with pytest.raises(FieldError, match="'q1'"):
        normalise(row() | {"answers": answers})


@st.composite
def questions(draw):
    context = draw(st.text(st.characters(exclude_categories=("Cs",)), min_size=1).filter(str.strip))
    answers = []
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(context) - 1))
        text = context[start : draw(st.integers(start + 1, len(context)))]
        if text.strip():
            answers.append((text, start))
    visible = context.index(context.split()[0])
    question = draw(st.text(st.characters(exclude_categories=("Cs",))))
    return row(context, answers or [(context[visible], visible)], question, draw(st.text("abc0", min_size=1)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(rows=st.lists(questions(), min_size=1, max_size=5))
def test_what_is_written_is_read_from_every_kind_of_file(tmp_path, rows):
    by_field = [
        values | {"answers": {field: [each[field] for each in values["answers"]] for field in ("text", "answer_start")}}
        for values in rows
    ]
    pq.write_table(pa.Table.from_pylist(by_field), tmp_path / "a.parquet")
    paths = (
        text_file(tmp_path, squad(*rows)),
        text_file(tmp_path, "".join(json.dumps(values, ensure_ascii=False) + "\n" for values in rows), "a.jsonl"),
        text_file(tmp_path, "".join(json.dumps(values) + "\n" for values in by_field), "b.jsonl"),
        tmp_path / "a.parquet",
    )
    expected = [
        {
            "id": values["id"],
            "context": values["context"],
            "question": clean(values["question"]),
            "answer_texts": by["answers"]["text"],
            "answer_starts": by["answers"]["answer_start"],
        }
        for values, by in zip(rows, by_field, strict=True)
    ]
    for path in paths:
        table, _, changed = read(path)
        assert table.to_pylist() == expected
        assert changed["answers_moved"] == 0


@given(st.text("ab ", min_size=1, max_size=40), st.text("ab", min_size=1, max_size=3), st.integers(-5, 50))
def test_the_nearest_occurrence_is_nearest(context, text, start):
    places = [place for place in range(len(context)) if context[place : place + len(text)] == text]
    assert nearest_occurrence(context, text, start) == min(places, key=lambda place: abs(place - start), default=None)


def test_the_format_does_not_load_torch():
    code = "import sys; from bistil_core.data.formats import format_of; format_of('qa'); print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


QUESTIONS = {
    "train.json": 87599,
    "dev.json": 10570,
    "xquad.en.json": 1190,
    "xquad.tr.json": 1190,
    "xquad.el.json": 1190,
}


def test_real_files_are_read_whole():
    _, files = real_files("qa/*/*.json")
    assert sorted(path.name for path in files) == sorted(QUESTIONS)
    for path in files:
        gold = [
            (question["id"], paragraph["context"], [(a["text"], a["answer_start"]) for a in question["answers"]])
            for article in json.loads(path.read_text(encoding="utf-8"))["data"]
            for paragraph in article["paragraphs"]
            for question in paragraph["qas"]
        ]
        table, dropped, changed = read(path)
        assert (table.num_rows, dropped, changed["answers_moved"]) == (QUESTIONS[path.name], 0, 0)
        answers = (
            list(zip(texts, starts, strict=True))
            for texts, starts in zip(table["answer_texts"].to_pylist(), table["answer_starts"].to_pylist(), strict=True)
        )
        read_again = list(zip(table["id"].to_pylist(), table["context"].to_pylist(), answers, strict=True))
        assert read_again == gold
        assert all(context.startswith(text, start) for _, context, pairs in gold for text, start in pairs)
