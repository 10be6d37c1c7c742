import hashlib

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bistil_core.data.prepare_corpus import prepare_corpus
from bistil_core.data.text import clean
from bistil_core.errors import BistilError
from bistil_core.files import read_json
from bistil_core.settings.corpora import CorpusSettings


def settings_for(*paths, **other):
    return CorpusSettings(source={"kind": "files", "paths": [str(path) for path in paths]}, **other)


def texts(folder, split):
    return pq.read_table(folder / f"{split}.parquet")["text"].to_pylist()


def digests(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("".join(f"Document number {number}.\n" for number in range(400)))
    return path


def test_every_document_is_kept_once_in_one_of_the_two_files(tmp_path, corpus):
    with open(corpus, "a") as file:
        file.write("Document  number\t7.\n\n   \nTiny\nDocument number 8.\n")
    output = tmp_path / "sw"
    prepare_corpus(output, "sw", settings_for(corpus, validation_fraction=0.25, minimum_characters=5), seed=1)
    train, validation = texts(output, "train"), texts(output, "validation")
    assert sorted(train + validation) == sorted(f"Document number {number}." for number in range(400))
    assert 60 < len(validation) < 140
    assert train == sorted(train, key=lambda text: int(text.split()[2][:-1]))
    provenance = read_json(output / "provenance.json")
    assert provenance["documents"] == {"read": 405, "empty": 2, "short": 1, "duplicates": 2, "kept": 400}
    assert provenance["train"] == {"documents": len(train), "characters": sum(map(len, train))}
    assert provenance["validation"] == {"documents": len(validation), "characters": sum(map(len, validation))}
    assert provenance["files"] == [
        {
            "name": str(corpus),
            "sha256": hashlib.sha256(corpus.read_bytes()).hexdigest(),
            "bytes": corpus.stat().st_size,
        }
    ]
    assert (provenance["validation_fraction"], provenance["seed"]) == (0.25, 1)


def test_the_same_input_gives_the_same_bytes_and_another_seed_another_sample(tmp_path, corpus):
    for name, seed in (("first", 3), ("again", 3), ("other", 4)):
        prepare_corpus(tmp_path / name, "sw", settings_for(corpus), seed)
    assert digests(tmp_path / "first") == digests(tmp_path / "again")
    assert texts(tmp_path / "first", "validation") != texts(tmp_path / "other", "validation")


def test_more_text_moves_no_document_between_the_files(tmp_path, corpus):
    prepare_corpus(tmp_path / "before", "sw", settings_for(corpus), 1)
    corpus.write_text("A new one before all others.\n" + corpus.read_text() + "And one after.\n")
    prepare_corpus(tmp_path / "after", "sw", settings_for(corpus), 1)
    assert set(texts(tmp_path / "before", "train")) <= set(texts(tmp_path / "after", "train"))
    assert set(texts(tmp_path / "before", "validation")) <= set(texts(tmp_path / "after", "validation"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(documents=st.lists(st.text(st.characters(exclude_categories=("Cs",)))), seed=st.integers(0, 2**64))
def test_any_text_is_kept_clean_and_once(tmp_path, documents, seed):
    path, output = tmp_path / "a.txt", tmp_path / "out"
    path.write_text(
        "".join(f"{text}\n" for text in documents) + "one\ntwo\nthree\nfour", encoding="utf-8", newline="\n"
    )
    expected = {clean(line) for line in path.read_bytes().decode("utf-8").split("\n")} - {""}
    try:
        prepare_corpus(output, "sw", settings_for(path, validation_fraction=0.5), seed)
    except BistilError:
        # A fair coin leaves one of the files empty now and then.
        assume(False)
    kept = texts(output, "train") + texts(output, "validation")
    assert len(kept) == len(set(kept))
    assert set(kept) == expected


def test_too_little_text_for_two_files_says_what_to_change_and_leaves_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Only one.\n")
    with pytest.raises(BistilError) as error:
        prepare_corpus(tmp_path / "out", "sw", settings_for(path), 1)
    for part in ("corpora.sw", "1 documents read", "validation_fraction", "minimum_characters"):
        assert part in str(error.value)
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_failed_run_leaves_the_corpus_that_was_there(tmp_path, corpus):
    output = tmp_path / "out"
    prepare_corpus(output, "sw", settings_for(corpus), 1)
    before = digests(output)
    corpus.write_bytes(b"fine\n\xff\n")
    with pytest.raises(BistilError, match="line 2"):
        prepare_corpus(output, "sw", settings_for(corpus), 1)
    assert digests(output) == before


def test_a_large_corpus_is_written_in_several_row_groups(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("".join(f"{number}\n" for number in range(50_000)))
    prepare_corpus(tmp_path / "out", "sw", settings_for(path), 1)
    file = pq.ParquetFile(tmp_path / "out" / "train.parquet")
    assert file.num_row_groups == 3
    assert str(file.schema_arrow.field("text").type) == "string"


def test_the_miniature_writes_as_many_documents_as_asked_for(tmp_path):
    wanted = CorpusSettings(source={"kind": "miniature", "documents": 300}, validation_fraction=0.1)
    for name in ("first", "again"):
        prepare_corpus(tmp_path / name, "sw", wanted, 1)
    provenance = read_json(tmp_path / "first" / "provenance.json")
    assert provenance["documents"]["read"] == 300
    assert (provenance["name"], provenance["files"]) == ("miniature", [])
    assert digests(tmp_path / "first") == digests(tmp_path / "again")
