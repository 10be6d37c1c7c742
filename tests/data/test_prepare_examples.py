import hashlib
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter

from bistil_core.data.formats import format_of
from bistil_core.data.prepare_test_data import prepare_test_data
from bistil_core.data.prepare_training_data import prepare_training_data
from bistil_core.errors import BistilError
from bistil_core.files import read_json
from bistil_core.settings.sources import ExampleSource


def source(**values):
    return TypeAdapter(ExampleSource).validate_python(values)


def digests(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


@pytest.fixture
def files(tmp_path):
    for split, rows in (("train", "a\tb\te\nc\td\t-\n"), ("dev", "e\tf\tn\n")):
        (tmp_path / f"{split}-en.tsv").write_text(rows)
    return tmp_path


HEADERLESS = ["premise", "hypothesis", "label"]


def test_training_data_from_files(tmp_path, files):
    train, validation = (
        source(kind="files", path=f"{files}/{split}-{{language}}.tsv", columns=HEADERLESS) for split in ("train", "dev")
    )
    output = tmp_path / "nli_en"
    prepare_training_data(output, "nli", "en", train, validation, seed=1)
    assert sorted(file.name for file in output.iterdir()) == ["provenance.json", "train.parquet", "validation.parquet"]
    table = pq.read_table(output / "train.parquet")
    assert table.schema == format_of("nli").schema
    assert table.to_pylist() == [{"premise": "a", "hypothesis": "b", "label": 0}]
    assert pq.read_table(output / "validation.parquet")["label"].to_pylist() == [1]
    assert read_json(output / "provenance.json") == {
        "train": {
            "name": "train-en.tsv",
            "revision": None,
            "sha256": hashlib.sha256((files / "train-en.tsv").read_bytes()).hexdigest(),
            "examples": 1,
            "dropped": 1,
        },
        "validation": {
            "name": "dev-en.tsv",
            "revision": None,
            "sha256": hashlib.sha256((files / "dev-en.tsv").read_bytes()).hexdigest(),
            "examples": 1,
            "dropped": 0,
        },
    }


def test_test_data_of_another_language_come_from_its_own_file(tmp_path, files):
    path = f"{files}/dev-{{language}}.tsv"
    with pytest.raises(BistilError, match=r"dev-sw\.tsv: no such file"):
        prepare_test_data(tmp_path / "out", "nli", "sw", source(kind="files", path=path, columns=HEADERLESS), seed=1)
    prepare_test_data(tmp_path / "out", "nli", "en", source(kind="files", path=path, columns=HEADERLESS), seed=1)
    assert read_json(tmp_path / "out" / "provenance.json")["test"]["name"] == "dev-en.tsv"


def test_the_miniature_gives_parallel_splits_that_do_not_meet(tmp_path):
    train, rest = source(kind="miniature", examples=300), source(kind="miniature", examples=90)
    prepare_training_data(tmp_path / "train", "nli", "en", train, rest, seed=1)
    for language in ("en", "sw"):
        prepare_test_data(tmp_path / language, "nli", language, rest, seed=1)
    english, swahili = (pq.read_table(tmp_path / language / "test.parquet") for language in ("en", "sw"))
    assert english["label"] == swahili["label"]
    assert english["premise"] != swahili["premise"]
    assert sorted(set(english["label"].to_pylist())) == [0, 1, 2]
    seen = {
        split: set(
            map(tuple, pq.read_table(path).select(["premise", "hypothesis"]).to_pandas().itertuples(index=False))
        )
        for split, path in (
            ("train", tmp_path / "train" / "train.parquet"),
            ("validation", tmp_path / "train" / "validation.parquet"),
            ("test", tmp_path / "en" / "test.parquet"),
        )
    }
    assert not seen["train"] & seen["validation"]
    assert not seen["train"] & seen["test"]
    provenance = read_json(tmp_path / "train" / "provenance.json")
    assert (provenance["train"]["name"], provenance["train"]["examples"]) == ("miniature", 300)
    assert provenance["train"]["sha256"] != provenance["validation"]["sha256"]


def test_the_same_source_gives_the_same_bytes_and_another_seed_others(tmp_path):
    examples = source(kind="miniature", examples=60)
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        prepare_test_data(tmp_path / name, "nli", "sw", examples, seed)
    first, again, other = (digests(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    assert first["test.parquet"] != other["test.parquet"]
    assert first["provenance.json"] != other["provenance.json"]


def real_data():
    folder = Path(os.environ.get("BISTIL_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
    if not (folder / "nli").is_dir():
        pytest.skip("no real benchmark files here: set BISTIL_REAL_DATA to their folder")
    return folder


@pytest.mark.parametrize(("split", "examples"), [("dev", 2490), ("test", 5010)])
@pytest.mark.parametrize("language", ["en", "sw", "tr"])
def test_xnli_is_read_whole_and_balanced(tmp_path, split, examples, language):
    path = f"{real_data()}/nli/xnli/{split}-{{language}}.tsv"
    prepare_test_data(tmp_path / "out", "nli", language, source(kind="files", path=path, columns=HEADERLESS), seed=1)
    labels = pq.read_table(tmp_path / "out" / "test.parquet")["label"].to_pylist()
    assert [labels.count(label) for label in (0, 1, 2)] == [examples // 3] * 3
    assert read_json(tmp_path / "out" / "provenance.json")["test"]["dropped"] == 0


def test_the_subset_of_multinli_is_read_whole(tmp_path):
    folder = real_data() / "nli" / "mnli_subset"
    columns = {"premise": "text_a", "hypothesis": "text_b"}
    train, validation = (
        source(kind="files", path=str(folder / name), columns=columns) for name in ("train.json", "dev.json")
    )
    prepare_training_data(tmp_path / "out", "nli", "en", train, validation, seed=1)
    provenance = read_json(tmp_path / "out" / "provenance.json")
    assert (provenance["train"]["examples"], provenance["validation"]["examples"]) == (8999, 1000)
