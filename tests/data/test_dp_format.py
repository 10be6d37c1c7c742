import json
import subprocess
import sys
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bistil_core.data.examples import read_examples
from bistil_core.data.format import FieldError
from bistil_core.data.formats import format_of
from bistil_core.data.formats.dp import UPOS, normalise, universal_relation
from bistil_core.data.prepare_test_data import prepare_test_data
from bistil_core.data.text import clean
from bistil_core.errors import BistilError
from bistil_core.files import read_json
from bistil_core.settings.sources import ExampleFiles
from tests.data.real_files import real_files

DP = format_of("dp")


def read(path):
    changed = Counter()
    table, dropped = read_examples(path, DP, None, changed)
    return table, dropped, changed


def line(number, form="w", upos="NOUN", head=0, relation="root"):
    return f"{number}\t{form}\t_\t{upos}\t_\t_\t{head}\t{relation}\t_\t_\n"


def text_file(folder, text, name="a.conllu"):
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def sentence(heads, relations=None):
    size = len(heads)
    return {
        "words": ["w"] * size,
        "heads": heads,
        "relations": relations or ["dep"] * size,
        "upos": ["X"] * size,
    }


def test_the_columns_are_those_that_the_parser_needs():
    strings = pa.list_(pa.string())
    columns = [("words", strings), ("heads", pa.list_(pa.int16())), ("relations", strings), ("upos", strings)]
    assert DP.schema == pa.schema(columns)
    assert len(UPOS) == len(set(UPOS)) == 17


def test_syntactic_words_are_read_without_comments_multiword_tokens_and_empty_nodes(tmp_path):
    text = (
        "# sent_id = 1\n# text = Haziendi kwao.\n"
        + "1-2\tHaziendi\t_\t_\t_\t_\t_\t_\t_\t_\n"
        + line(1, "Ha", "PART", 2, "advmod:neg")
        + line(2, "ziendi", "VERB")
        + "2.1\tgone\t_\tVERB\t_\t_\t_\t_\t0:root\t_\n"
        + line(3, "kwao", "PRON", 2, "obl")
        + "\n"
        + line(1, "Ndiyo", "INTJ").replace("\n", "\r\n")
    )
    table, dropped, changed = read(text_file(tmp_path, text))
    assert table.schema == DP.schema
    assert table.to_pylist() == [
        {
            "words": ["Ha", "ziendi", "kwao"],
            "heads": [2, 0, 2],
            "relations": ["advmod", "root", "obl"],
            "upos": ["PART", "VERB", "PRON"],
        },
        {"words": ["Ndiyo"], "heads": [0], "relations": ["root"], "upos": ["INTJ"]},
    ]
    assert (dropped, changed) == (0, {"subtypes_cut": 1})


@pytest.mark.parametrize(
    ("relation", "universal"),
    [("nmod:poss", "nmod"), ("nsubj", "nsubj"), ("obl:arg:x", "obl"), ("compound:prt", "compound")],
)
def test_subtypes_of_relations_are_cut(relation, universal):
    assert universal_relation(relation) == universal
    assert normalise(sentence([0], [relation]))["relations"] == [universal]


def test_sentences_without_words_are_dropped_and_counted(tmp_path):
    table, dropped, _ = read(text_file(tmp_path, "# empty\n\n" + line(1) + "\n\n" + line(1) + "\n# at the end\n"))
    assert (table.num_rows, dropped) == (2, 3)


def test_a_form_may_be_an_underscore_or_hold_a_space(tmp_path):
    text = line(1, "_", "SYM") + line(2, "10 000", "NUM", 1, "nummod")
    assert read(text_file(tmp_path, text))[0]["words"].to_pylist() == [["_", "10 000"]]


def test_the_counts_stand_in_the_provenance(tmp_path):
    text_file(tmp_path, "# empty\n\n" + line(1) + line(2, head=1, relation="nmod:poss"), "mt.conllu")
    source = ExampleFiles(kind="files", path=f"{tmp_path}/{{language}}.conllu")
    prepare_test_data(tmp_path / "out", "dp", "mt", source, seed=1)
    assert pq.read_table(tmp_path / "out" / "test.parquet").schema == DP.schema
    entry = read_json(tmp_path / "out" / "provenance.json")["test"]
    assert (entry["examples"], entry["dropped"], entry["subtypes_cut"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("heads", "word", "says"),
    [
        ([0, 0], 1, "one root; word 1 "),
        ([2, 1], 0, "its own head"),
        ([0, 2], 1, "its own head"),
        ([0, 3, 4, 2], 1, "its own head"),
        ([0, 1, 5, 3, 4], 2, "its own head"),
        ([0, 3], 1, "1 to 2"),
        ([-1], 0, "1 to 1"),
        (["_"], 0, "1 to 1"),
        (["1.1"], 0, "1 to 1"),
        ([None], 0, "1 to 1"),
        ([False], 0, "1 to 1"),
        ([0.0], 0, "1 to 1"),
    ],
)
def test_heads_that_make_no_tree_are_refused_with_the_word(heads, word, says):
    with pytest.raises(FieldError, match=says) as error:
        normalise(sentence(heads))
    assert error.value.word == word


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.conllu", "# c\n" + line(1) + line(2).replace("\t_\n", "\n"), ["line 3", "9 columns", "10"]),
        ("a.conllu", "1 w _ X _ _ 0 root _ _\n", ["line 1", "1 columns", "tabs"]),
        ("a.conllu", "\n# c\n" + line(1, head=2) + line(2, head=1), ["line 3", "heads is 2", "its own head"]),
        ("a.conllu", line(1) + line(2) + "\n", ["line 2", "heads is 0", "one root"]),
        ("a.conllu", line(1) + "1-2\tw\t_\t_\t_\t_\t_\t_\t_\t_\n" + line(2, head=3), ["line 3", "'3'", "1 to 2"]),
        ("a.conllu", line(1) + line(3, head=1), ["line 2", "'3'", "2 is expected"]),
        ("a.conllu", line(1) + line(1), ["line 2", "'1'", "2 is expected", "empty line"]),
        ("a.conllu", line(1, upos="NN"), ["line 1", "upos", "'NN'", "NOUN"]),
        ("a.conllu", line(1, relation="_"), ["line 1", "relations", "'_'", "nsubj"]),
        ("a.conllu", line(1, relation=""), ["line 1", "relations", "''"]),
        ("a.conllu", line(1, form=" "), ["line 1", "words", "visible"]),
        ("a.conllu", "# nothing\n\n", ["no examples", "1 without words"]),
        ("a.tsv", line(1), [".tsv", ".parquet", ".conllu"]),
        ("a.jsonl", json.dumps(sentence([0, 0])) + "\n", ["line 1, word 2", "one root"]),
        ("a.jsonl", json.dumps(sentence([0]) | {"upos": []}) + "\n", ["line 1", "upos", "1 entries"]),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_value(tmp_path, name, content, says):
    path = text_file(tmp_path, content, name)
    with pytest.raises(BistilError) as error:
        read(path)
    assert [part for part in (str(path), *says) if part not in str(error.value)] == []


@st.composite
def trees(draw):
    """Sentences with random projective and other trees: each word hangs on one before it in a random order."""
    size = draw(st.integers(1, 30))
    order = draw(st.permutations(range(1, size + 1)))
    heads = [0] * size
    for place, number in enumerate(order[1:], start=1):
        heads[number - 1] = order[draw(st.integers(0, place - 1))]
    form = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(clean)
    each = {"min_size": size, "max_size": size}
    return {
        "words": draw(st.lists(form, **each)),
        "heads": heads,
        "relations": draw(st.lists(st.sampled_from(["nsubj", "obl:arg", "dep", "nmod:poss"]), **each)),
        "upos": draw(st.lists(st.sampled_from(UPOS), **each)),
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(sentences=st.lists(trees(), min_size=1, max_size=5), data=st.data())
def test_what_is_written_is_read_from_every_kind_of_file(tmp_path, sentences, data):
    blocks = []
    for values in sentences:
        block = "# text\n"
        for number, cells in enumerate(
            zip(values["words"], values["upos"], values["heads"], values["relations"], strict=True), 1
        ):
            if data.draw(st.booleans()):
                block += f"{number}-{number + 1}\tsurface\t_\t_\t_\t_\t_\t_\t_\t_\n"
            block += line(number, *cells)
            if data.draw(st.booleans()):
                block += f"{number}.1\telided\t_\tVERB\t_\t_\t_\t_\t_\t_\n"
        blocks.append(block + "\n")
    pq.write_table(pa.Table.from_pylist(sentences), tmp_path / "a.parquet")
    paths = (
        text_file(tmp_path, "".join(blocks)),
        text_file(tmp_path, "".join(json.dumps(values) + "\n" for values in sentences), "a.jsonl"),
        tmp_path / "a.parquet",
    )
    expected = [
        values
        | {"words": [clean(word) for word in values["words"]]}
        | {"relations": [relation.split(":")[0] for relation in values["relations"]]}
        for values in sentences
    ]
    for path in paths:
        assert read(path)[0].to_pylist() == expected


@given(trees(), st.data())
def test_any_head_that_closes_a_cycle_is_refused(values, data):
    heads = values["heads"]
    word = data.draw(st.integers(0, len(heads) - 1))
    above = [word + 1]
    while heads[above[-1] - 1]:
        above.append(heads[above[-1] - 1])
    top = above[data.draw(st.integers(0, len(above) - 1))]
    with pytest.raises(FieldError, match="heads"):
        normalise(values | {"heads": [*heads[: top - 1], word + 1, *heads[top:]]})


def test_a_sentence_of_600_words_is_whole(tmp_path):
    chain = "".join(line(number, head=number - 1) for number in range(1, 601))
    assert read(text_file(tmp_path, chain))[0]["heads"].to_pylist() == [list(range(600))]


def test_the_format_does_not_load_torch():
    code = "import sys; from bistil_core.data.formats import format_of; format_of('dp'); print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_real_files_are_read_whole():
    _, files = real_files("ud/*/*.conllu")
    assert len(files) == 9
    passed_over = Counter()
    for path in files:
        lines = path.read_text(encoding="utf-8").split("\n")
        rows = [cells for cells in (text.split("\t") for text in lines if text and text[0] != "#") if len(cells) == 10]
        words = [cells for cells in rows if cells[0].isdigit()]
        passed_over.update(cells[0][1:].strip("0123456789") for cells in rows if not cells[0].isdigit())
        table, dropped, changed = read(path)
        assert (table.num_rows, dropped) == (sum(text.startswith("# text = ") for text in lines), 0)
        assert sum(map(len, table["words"].to_pylist())) == len(words)
        assert pc.list_flatten(table["words"]).to_pylist() == [cells[1] for cells in words]
        assert pc.list_flatten(table["heads"]).to_pylist() == [int(cells[6]) for cells in words]
        assert pc.list_flatten(table["upos"]).to_pylist() == [cells[3] for cells in words]
        relations = pc.list_flatten(table["relations"]).to_pylist()
        assert relations == [cells[7].split(":")[0] for cells in words]
        assert relations.count("root") == table.num_rows
        assert changed["subtypes_cut"] == sum(":" in cells[7] for cells in words)
    # What README says: both occur.
    assert passed_over["-"] > 0
    assert passed_over["."] > 0
