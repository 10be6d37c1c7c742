import json

import pytest

from bistil_core.files import replacing, sha256_of, write_json


def test_a_failure_leaves_what_was_there_and_no_partial_file(tmp_path):
    path = tmp_path / "result.json"
    write_json(path, {"old": 1})

    def break_off():
        with replacing(path) as partial:
            partial.write_text("half of")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert json.loads(path.read_text()) == {"old": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["result.json"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    for content in ("a", "b"):
        with replacing(tmp_path / "folder") as folder:
            folder.mkdir()
            (folder / content).touch()
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["b"]


def test_what_a_crash_left_behind_is_cleared_away(tmp_path):
    (tmp_path / ".folder.partial").mkdir()
    (tmp_path / ".folder.partial" / "old").touch()
    with replacing(tmp_path / "folder") as folder:
        assert not folder.exists()
        folder.mkdir()
    assert list((tmp_path / "folder").iterdir()) == []


def test_json_without_nan_and_with_every_letter(tmp_path):
    write_json(tmp_path / "x.json", {"ŋ": [1.5, None]})
    assert (tmp_path / "x.json").read_text() == '{\n  "ŋ": [\n    1.5,\n    null\n  ]\n}\n'
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "x.json", {"score": float("nan")})


def test_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
