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
from bistil_core.data.formats.ner import LABELS, begun, normalise
from bistil_core.data.prepare_training_data import prepare_training_data
from bistil_core.data.text import clean
from bistil_core.errors import BistilError
from bistil_core.files import read_json
from bistil_core.settings.sources import ExampleFiles
from tests.data.real_files import real_files

NER = format_of("ner")


def read(path):
    changed = Counter()
    table, dropped = read_examples(path, NER, None, changed)
    return table, dropped, changed


def text_file(folder, text, name="a.txt"):
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def tags_of(*tags):
    return [LABELS[tag] for tag in normalise({"tokens": ["w"] * len(tags), "tags": list(tags)})["tags"]]


def test_the_tag_set_is_that_of_the_paper_in_bio2():
    assert LABELS == ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
    assert NER.schema == pa.schema([("tokens", pa.list_(pa.string())), ("tags", pa.list_(pa.int8()))])


def test_a_conll_file_is_read_sentence_by_sentence(tmp_path):
    text = "-DOCSTART- O\n\nAnna B-PER\nwa I-PER\nMji\tO\r\n\n-DOCSTART- O\n\nUlaya B-LOC"
    table, dropped, changed = read(text_file(tmp_path, text))
    assert table.schema == NER.schema
    assert table.to_pylist() == [
        {"tokens": ["Anna", "wa", "Mji"], "tags": [1, 2, 0]},
        {"tokens": ["Ulaya"], "tags": [5]},
    ]
    assert (dropped, changed) == (0, {"tags_made_o": 0, "tags_made_b": 0})


def test_four_columns_are_read_as_conll_2003_first_wrote_them(tmp_path):
    path = text_file(tmp_path, "-DOCSTART- -X- -X- O\n\nAnna NNP I-NP I-PER\nruns VBZ I-VP O\n", "a.conll")
    assert read(path)[0].to_pylist() == [{"tokens": ["Anna", "runs"], "tags": [1, 0]}]


def test_a_no_break_space_separates_no_columns(tmp_path):
    assert read(text_file(tmp_path, "10\u00a0000 O\n"))[0]["tokens"].to_pylist() == [["10 000"]]


def test_sentences_without_words_are_dropped_and_counted(tmp_path):
    table, dropped, _ = read(text_file(tmp_path, "a O\n\n\nb O\n\n\n\n-DOCSTART- O\n\nc O\n\n"))
    assert table["tokens"].to_pylist() == [["a"], ["b"], ["c"]]
    assert dropped == 3


@pytest.mark.parametrize(
    ("tags", "repaired"),
    [
        ("I-PER I-PER O I-LOC", "B-PER I-PER O B-LOC"),
        ("I-PER B-PER I-PER", "B-PER B-PER I-PER"),
        ("B-PER I-LOC I-LOC", "B-PER B-LOC I-LOC"),
        ("B-MISC I-MISC O B-DATE I-DATE", "O O O O O"),
        ("B-DATE I-LOC I-LOC", "O B-LOC I-LOC"),
        ("I-PER I-MISC I-PER", "B-PER O B-PER"),
        ("B-ORG I-ORG B-ORG O", "B-ORG I-ORG B-ORG O"),
    ],
)
def test_iob1_and_broken_bio_become_bio2_without_misc_and_date(tags, repaired):
    assert tags_of(*tags.split()) == repaired.split()


def test_changed_tags_are_counted_and_logged(tmp_path, caplog):
    path = text_file(tmp_path, "a I-PER\nb I-PER\nc B-DATE\nd I-DATE\ne I-LOC\n\nf I-MISC\n")
    with caplog.at_level("INFO", "bistil"):
        _, _, changed = read(path)
    assert changed == {"tags_made_o": 3, "tags_made_b": 2}
    assert [record.getMessage() for record in caplog.records] == [f"{path}: tags_made_o: 3", f"{path}: tags_made_b: 2"]


def test_the_counts_stand_in_the_provenance(tmp_path):
    text_file(tmp_path, "a I-PER\nb B-DATE\n\n\nc O\n", "train-en.txt")
    source = ExampleFiles(kind="files", path=f"{tmp_path}/train-{{language}}.txt")
    prepare_training_data(tmp_path / "out", "ner", "en", source, source, seed=1)
    assert pq.read_table(tmp_path / "out" / "train.parquet").schema == NER.schema
    entry = read_json(tmp_path / "out" / "provenance.json")["train"]
    assert (entry["examples"], entry["dropped"], entry["tags_made_o"], entry["tags_made_b"]) == (2, 1, 1, 1)


def test_numbers_stand_for_the_labels_in_order():
    assert normalise({"tokens": list("abc"), "tags": [0, 6, 5]})["tags"] == [0, 5, 5]


@pytest.mark.parametrize("tag", ["B-PERSON", "b-per", "PER", "E-PER", "B-", "", 7, -1, True, None, 1.0])
def test_other_tags_are_refused_with_those_that_are_allowed(tag):
    with pytest.raises(FieldError, match="O, B-PER, I-PER") as error:
        normalise({"tokens": ["a", "b"], "tags": ["O", tag]})
    assert repr(tag) in str(error.value)
    assert error.value.word == 1


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", "a O\nb B-FOO\n", ["line 2", "'B-FOO'", "B-LOC"]),
        ("a.txt", "a O\n\n-DOCSTART- O\n\nb O\nc X-PER\n", ["line 6", "'X-PER'"]),
        ("a.txt", "a O\nb\n", ["line 2", "1 columns", "2 are expected", "'b'"]),
        ("a.txt", "a O\n O\n", ["line 2", "1 columns"]),
        ("a.txt", "a b O\n", ["line 1", "3 columns", "2 or 4"]),
        ("a.txt", "a O\nNew York City B-LOC\n", ["line 2", "4 columns", "2 are expected"]),
        ("a.txt", "\u00a0 O\n", ["line 1", "tokens", "visible"]),
        ("a.txt", "\n\n\n", ["no examples", "2 without words"]),
        ("a.txt", "-DOCSTART- O\n\n", ["no examples"]),
        ("a.csv", "a,O\n", [".csv", ".parquet", ".txt, .conll"]),
        ("a.jsonl", '{"tokens": ["a"], "tags": ["O", "O"]}\n', ["line 1", "tags", "1 entries"]),
        ("a.jsonl", '{"tokens": ["a", "b"], "tags": ["O", "B-FOO"]}\n', ["line 1, word 2", "'B-FOO'"]),
        ("a.jsonl", '{"tokens": "a", "tags": ["O"]}\n', ["line 1", "tokens is 'a'", "list"]),
        ("a.jsonl", '{"tokens": ["a", null], "tags": ["O", "O"]}\n', ["line 1, word 2", "None"]),
        ("a.jsonl", '{"words": ["a"], "tags": ["O"]}\n', ["line 1", "'tokens'", "'words'"]),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_value(tmp_path, name, content, says):
    path = text_file(tmp_path, content, name)
    with pytest.raises(BistilError) as error:
        read(path)
    assert [part for part in (str(path), *says) if part not in str(error.value)] == []


def test_a_sentence_of_600_words_is_whole(tmp_path):
    table, _, _ = read(text_file(tmp_path, "neno B-LOC\n" * 600))
    assert len(table["tokens"][0]) == 600


word = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1).filter(
    lambda text: clean(text) and text != "-DOCSTART-" and not text.startswith("\ufeff")
)
sentences = st.lists(st.lists(st.tuples(word, st.sampled_from(LABELS)), min_size=1), min_size=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(sentences=sentences, gap=st.sampled_from([" ", "\t"]), end=st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_is_read_from_every_kind_of_file(tmp_path, sentences, gap, end):
    blocks = [end.join(f"{token}{gap}{tag}" for token, tag in sentence) + end for sentence in sentences]
    rows = [
        dict(zip(("tokens", "tags"), map(list, zip(*sentence, strict=True)), strict=True)) for sentence in sentences
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    paths = (
        text_file(tmp_path, end.join(blocks)),
        text_file(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "a.jsonl"),
        tmp_path / "a.parquet",
    )
    expected = [
        {"tokens": [clean(token) for token in row["tokens"]], "tags": [LABELS.index(tag) for tag in begun(row["tags"])]}
        for row in rows
    ]
    for path in paths:
        assert read(path)[0].to_pylist() == expected


@given(st.lists(st.sampled_from([*LABELS, "B-MISC", "I-MISC", "B-DATE", "I-DATE"]), min_size=1))
def test_repaired_tags_are_bio2_and_stay_as_they_are(tags):
    repaired = tags_of(*tags)
    assert all(
        tag[0] != "I" or previous[1:] == tag[1:] for previous, tag in zip(["O", *repaired], repaired, strict=False)
    )
    assert tags_of(*repaired) == repaired
    kinds = [tag[2:] if tag[2:] not in ("MISC", "DATE") else "" for tag in tags]
    assert [tag[2:] for tag in repaired] == kinds


def test_the_format_does_not_load_torch():
    code = "import sys; from bistil_core.data.formats import format_of; format_of('ner'); print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def spans(tags):
    """Entities as (first word, last word, type), counted as conlleval does, independently of the format."""
    found, start = [], None
    for index, tag in enumerate([*tags, "O"]):
        previous = tags[index - 1] if index else "O"
        if start is not None and (tag[0] in "OB" or tag[2:] != previous[2:]):
            found.append((start, index - 1, previous[2:]))
            start = None
        if tag != "O" and start is None:
            start = index
    return [span for span in found if span[2] in ("PER", "ORG", "LOC")]


SENTENCES = {
    "conll2003_en/train.txt": 14042,
    "conll2003_en/dev.txt": 3250,
    "conll2003_en/test.txt": 3453,
    "masakhaner1/swa/train.txt": 2109,
    "masakhaner1/swa/dev.txt": 300,
    "masakhaner1/swa/test.txt": 604,
}


def test_real_files_are_read_whole():
    folder, files = real_files("ner/**/*.txt")
    assert len(files) == 12
    for path in files:
        raw = [block.split("\n") for block in path.read_text(encoding="utf-8").strip("\n").split("\n\n")]
        table, dropped, changed = read(path)
        name = str(path.relative_to(folder / "ner"))
        assert (table.num_rows, dropped) == (SENTENCES.get(name, len(raw)), 0)
        pairs = [[line.split(" ") for line in block] for block in raw]
        assert table["tokens"].to_pylist() == [[token for token, _ in block] for block in pairs]
        gold = [[tag for _, tag in block] for block in pairs]
        assert [spans([LABELS[tag] for tag in tags]) for tags in table["tags"].to_pylist()] == list(map(spans, gold))
        assert changed["tags_made_o"] == sum(tag[2:] in ("MISC", "DATE") for tags in gold for tag in tags)
        # What README says of each: CoNLL-2003 without MISC, MasakhaNER with DATE.
        assert (changed["tags_made_o"] > 0) == name.startswith("masakhaner1")
        starts = sum(tag[0] == "B" for tags in gold for tag in tags if tag[2:] != "DATE")
        assert changed["tags_made_b"] == sum(len(spans(tags)) for tags in gold) - starts
