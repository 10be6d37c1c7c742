import gzip
import json
import unicodedata

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bistil_core.data.text import clean, read_documents, text_files
from bistil_core.errors import BistilError


@given(st.text(st.characters()))
def test_clean_text_is_one_normalised_line_and_stays_as_it_is(text):
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert cleaned == " ".join(cleaned.split())
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in cleaned)
    cleaned.encode("utf-8")


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  a\t b\r\n c\u2028d ", "a b c d"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\x00b\x07c\ufeff", "abc"),
        ("\ud800a", "a"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        (" \n ", ""),
    ],
)
def test_cleaning(raw, cleaned):
    assert clean(raw) == cleaned


def write(folder, name, documents):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if ".jsonl" in name:
        content = "".join(json.dumps({"text": text, "id": 1}) + "\n" for text in documents)
    else:
        content = "".join(f"{text}\n" for text in documents)
    if name.endswith(".parquet"):
        pq.write_table(pa.table({"id": list(range(len(documents))), "text": documents}), path)
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(content.encode()))
    elif name.endswith(".zst"):
        path.write_bytes(pa.Codec("zstd").compress(content.encode(), asbytes=True))
    else:
        path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "name", ["a.txt", "a.txt.gz", "a.txt.zst", "a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet"]
)
def test_every_kind_of_file_gives_its_documents(tmp_path, name):
    documents = ["The first one.", "", "Ya pili — na “ya tatu”."]
    assert list(read_documents([write(tmp_path, name, documents)])) == documents


def test_a_folder_is_read_in_the_order_of_its_paths_without_what_is_no_text(tmp_path):
    for name in ("b.txt", "a/z.jsonl", "c.parquet", ".cache/x.txt"):
        write(tmp_path, name, [name])
    (tmp_path / "README.md").write_text("not a document")
    assert list(read_documents([tmp_path])) == ["a/z.jsonl", "b.txt", "c.parquet"]


def test_a_byte_order_mark_windows_line_ends_and_a_missing_last_one_do_not_show(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\nthree")
    assert list(read_documents([path])) == ["one", "two", "three"]


def refused(path):
    with pytest.raises(BistilError) as error:
        list(read_documents([path]))
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", b"", ["empty"]),
        ("a.txt", b"fine\nfi\x00ne\n", ["line 2", "byte 7", "NUL", "UTF-8"]),
        ("a.txt", "fine\n".encode("utf-16"), ["line 1", "byte 3", "UTF-16"]),
        ("a.txt", b"one\nf\xfcr\n", ["line 2", "0xfc", "byte 5", "UTF-8"]),
        ("a.txt.gz", b"not compressed\n", ["damaged or not compressed"]),
        ("a.txt.gz", gzip.compress(bytes(range(97, 123)) * 9999)[:-40], ["damaged or not compressed"]),
        ("a.txt.zst", b"not compressed\n", ["damaged or not compressed"]),
        ("a.txt.gz", gzip.compress(b"one\nf\xfcr\n"), ["line 2", "0xfc", "byte 5"]),
        ("a.jsonl", b'{"text": "fine"}\n{"body": "x", "id": 1}\n', ["line 2", "`text`", "body, id"]),
        ("a.jsonl", b'{"text": 3}\n', ["line 1", "`text`"]),
        ("a.jsonl", b'["text"]\n', ["line 1", "list"]),
        ("a.jsonl", b'{"text": "fine"\n', ["line 1", "not JSON"]),
        ("a.parquet", b"PAR1 or not", ["not a Parquet file"]),
        ("a.pdf", b"%PDF", [".pdf", ".jsonl"]),
        ("a.parquet.gz", b"x", [".gz", ".jsonl"]),
        ("noname", b"x", ["without suffix"]),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)
    message = refused(path)
    assert [part for part in says if part not in message] == []


def test_missing_files_and_folders_without_text_are_named(tmp_path):
    assert "no such file" in refused(tmp_path / "nothing.txt")
    assert "no text in this folder" in refused(tmp_path)


def test_a_parquet_file_without_a_string_column_text_says_which_it_has(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"body": ["x"], "text": [1]}), path)
    message = refused(path)
    assert "body (string)" in message
    assert "text (int64)" in message


def test_missing_values_in_parquet_are_empty_documents(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": pa.array(["x", None], pa.large_string())}), path)
    assert list(read_documents([path])) == ["x", ""]


def test_files_are_listed_as_given(tmp_path):
    paths = [write(tmp_path, name, ["x"]) for name in ("b.txt", "a.txt")]
    assert text_files(paths) == paths
