from bistil_core.settings.loading import load_configuration
from bistil_core.settings.local_files import missing_files
from tests.pipeline.conftest import configuration, write_inputs


def test_every_missing_file_is_named_with_its_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    values = configuration()
    values["base_models"]["mine"] = {"source": {"kind": "folder", "path": "model"}}
    values["base_models"]["other"] = {"source": {"kind": "random", "model_type": "bert", "tokenizer": "vocabulary"}}
    (tmp_path / "sw.txt").unlink()
    (tmp_path / "nli-sw.tsv").unlink()
    keys = [line.split(":")[0] for line in missing_files(load_configuration(values))]
    assert keys == [
        "base_models.mine.source.path",
        "base_models.other.source.tokenizer",
        "corpora.sw.source.paths",
        "benchmarks.xnli.test.path",
    ]
    (tmp_path / "nli-en.tsv").unlink()
    keys = [line.split(":")[0] for line in missing_files(load_configuration(values))]
    assert {"teacher.nli.train.path", "teacher.nli.validation.path"} < set(keys)


def test_source_test_is_looked_for_in_place_of_the_source_languages_test_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    values = configuration()
    values["benchmarks"]["xnli"]["test"] = {"kind": "files", "path": "test-{language}.tsv"}
    values["benchmarks"]["xnli"]["source_test"] = {"kind": "files", "path": "english.tsv"}
    lines = missing_files(load_configuration(values))
    assert [line.split(" (")[0] for line in lines] == [
        "benchmarks.xnli.source_test.path: there is no file or folder english.tsv",
        "benchmarks.xnli.test.path: there is no file or folder test-sw.tsv",
    ]


def test_nothing_is_missing_where_all_files_lie(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    assert missing_files(load_configuration(configuration())) == []
