"""Bad input gives one clear message, exit code not 0, no half-written output, and harms no finished step."""

import re
import shutil

import pytest

from tests.pipeline.conftest import Workspace, configuration, write_inputs


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory) -> Workspace:
    """A workspace that has got as far as the bilingual vocabulary."""
    folder = tmp_path_factory.mktemp("trimmed")
    write_inputs(folder)
    workspace = Workspace(folder, configuration())
    done = workspace.snakemake("results/vocabularies/miniature_en-sw")
    assert done.returncode == 0, done.stdout
    return workspace


@pytest.fixture
def advanced(trimmed, tmp_path) -> Workspace:
    """A copy of that workspace, to do harm to."""
    folder = tmp_path / "copy"
    shutil.copytree(trimmed.folder, folder)
    return Workspace(folder, configuration())


def refuse(workspace: Workspace, target: str, *wanted: str) -> str:
    before = workspace.files()
    run = workspace.snakemake(target)
    assert run.returncode != 0, run.stdout
    for words in wanted:
        assert words in re.sub(r"\s+", " ", run.stdout), run.stdout
    assert "Traceback (most recent call last)" not in run.stdout
    after = workspace.files()
    assert {name: after.get(name) for name in before} == before, "a finished output was harmed"
    new = {name.split("/")[1] if name.count("/") > 1 else name for name in after.keys() - before.keys()}
    assert not any("partial" in name for name in after)
    assert not (workspace.folder / target).exists(), new
    return run.stdout


def test_all_errors_of_the_configuration_are_reported_at_once(workspace):
    workspace.config["phase1"]["learning_rat"] = 1.0e-3
    workspace.config["trim"]["threshold"] = "1e-6"
    workspace.config["phase2"]["nli"]["density"] = 0
    workspace.config["teacher"]["nli"]["fine_tuning"]["density"] = 1.5
    workspace.config["benchmarks"]["xnli"]["task"] = "nlii"
    refuse(
        workspace,
        "results/xnli_sw.json",
        "phase1.learning_rat",
        "learning_rate",
        "trim.threshold",
        "1.0e-6",
        "phase2.nli.density",
        "teacher.nli.fine_tuning.density",
        "1.5",
        "benchmarks.xnli.task",
    )


@pytest.mark.parametrize("density", [0, -0.5, 1.01])
def test_density_outside_0_to_1(workspace, density):
    workspace.config["phase2"]["nli"]["density"] = density
    refuse(workspace, "results/xnli_sw.json", "phase2.nli.density", str(density))


def test_unknown_benchmark(workspace):
    refuse(workspace, "results/xnly_sw.json", "no benchmark 'xnly'; it has: xnli", "Did you mean xnli?")


def test_unknown_language(workspace):
    refuse(workspace, "results/xnli_tr.json", "no language for xnli 'tr'; it has: sw")


def test_missing_text_file(workspace):
    (workspace.folder / "sw.txt").unlink()
    refuse(workspace, "results/corpora/sw", "corpora.sw.source.paths", "sw.txt")


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", "empty"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00>\x00", "binary"),
        (b"mpishi alinunua\nmaembe \xff\xfe matatu\n", "UTF-8"),
    ],
    ids=["empty", "binary", "invalid UTF-8"],
)
def test_unreadable_text(workspace, content, wanted):
    finished = workspace.snakemake("results/corpora/en")
    assert finished.returncode == 0, finished.stdout
    (workspace.folder / "sw.txt").write_bytes(content)
    output = refuse(workspace, "results/corpora/sw", "sw.txt", wanted)
    assert "prepare_corpus failed: open logs/prepare_corpus/sw.log" in output


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("premise\thypothesis\tlabel\na\tb\tentailment\na\tb\tmaybe\n", ("maybe", "entailment")),
        ("premise\thypotesis\tlabel\na\tb\tentailment\n", ("hypothesis", "hypotesis")),
        ("", ("empty",)),
    ],
    ids=["unknown label", "missing column", "empty"],
)
def test_bad_labelled_data(workspace, text, wanted):
    (workspace.folder / "nli-en.tsv").write_text(text)
    refuse(workspace, "results/tasks/nli_en", "nli-en.tsv", *wanted)


@pytest.mark.slow
def test_layer_factor_that_does_not_divide(advanced):
    advanced.config["phase1"]["layer_reduction_factor"] = 5
    refuse(
        advanced,
        "results/students/miniature_en-sw",
        "phase1.layer_reduction_factor: 5 does not divide the teacher's 12 layers; choose one of 1, 2, 3, 4, 6, 12",
    )


@pytest.mark.slow
def test_threshold_that_keeps_nothing(advanced):
    before = advanced.files()
    advanced.config["trim"]["threshold"] = 0.9
    run = advanced.snakemake("results/vocabularies/miniature_en-sw")
    assert run.returncode != 0
    assert "threshold" in run.stdout
    assert "0.9" in run.stdout
    after = advanced.files()
    others = {name: content for name, content in before.items() if not name.startswith("vocabularies/")}
    assert {name: after.get(name) for name in others} == others
