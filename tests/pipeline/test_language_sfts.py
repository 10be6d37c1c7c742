"""Teachers adapted to the language, and the self-taught student, through the real Snakefile."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from bistil_core.evaluation.finished import load_finished
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.tasks import task_named
from tests.pipeline.conftest import Workspace
from tests.pipeline.test_end_to_end import planned

TRAINING = {
    "learning_rate": 1.0e-3, "batch_size": 4, "maximum_steps": 2, "minimum_steps": 1, "block_length": 16,
    "validation_blocks": 4, "evaluate_every": 2,
}  # fmt: skip


def with_language_sfts(workspace: Workspace, **chosen: object) -> Workspace:
    workspace.config |= {"language_sft": chosen, "train_language_sft": TRAINING}
    return workspace


def test_the_steps_ask_for_the_language_sfts_that_they_use_alone(workspace):
    without = planned(workspace, "results/xnli_sw.json")
    assert without["train_language_sft"] == 0
    target_alone = with_language_sfts(workspace, sw="train")
    assert planned(target_alone, "results/xnli_sw.json")["train_language_sft"] == 1
    assert planned(target_alone, "results/teachers/miniature_nli_en")["train_language_sft"] == 0
    both = with_language_sfts(workspace, en="train", sw="train")
    assert planned(both, "results/xnli_sw.json")["train_language_sft"] == 2
    assert planned(both, "results/teachers/miniature_nli_en")["train_language_sft"] == 1
    assert planned(both, "results/evaluations/xnli_sw_teacher.json")["train_language_sft"] == 2


def test_a_published_language_sft_is_downloaded_by_a_step_of_its_own(workspace):
    published = with_language_sfts(workspace, sw="owner/xlmr-lang-sft-sw")
    assert planned(published, "results/students/miniature_en-sw")["download_model"] == 1


def test_a_teacher_of_several_languages_has_data_and_sft_of_each(workspace):
    with_language_sfts(workspace, en="train", tr="train", sw="train")
    workspace.config["corpora"]["tr"] = workspace.config["corpora"]["en"]
    (workspace.folder / "nli-tr.tsv").write_text((workspace.folder / "nli-sw.tsv").read_text())
    workspace.config["teacher"]["nli"]["languages"] = ["tr", "en"]
    asked = planned(workspace, "results/teachers/miniature_nli_en")
    assert (asked["prepare_training_data"], asked["train_language_sft"], asked["prepare_corpus"]) == (2, 2, 2)
    asked = planned(workspace, "results/sft/xnli_sw.safetensors")
    assert (asked["fine_tune_teacher"], asked["prepare_training_data"], asked["train_language_sft"]) == (1, 2, 3)


def test_a_self_taught_student_needs_no_teacher(workspace):
    workspace.config["phase2"]["nli"]["teacher"] = "none"
    jobs = planned(workspace, "results/sft/xnli_sw.safetensors")
    assert (jobs["distil_phase2"], jobs["fine_tune_teacher"]) == (1, 0)


@pytest.mark.slow
def test_a_teacher_of_two_languages_through_the_snakefile(workspace):
    workspace.config["teacher"]["nli"]["languages"] = ["sw", "en"]
    run = with_language_sfts(workspace, en="train", sw="train").snakemake("results/teachers/miniature_nli_en")
    assert run.returncode == 0, run.stdout
    results = workspace.folder / "results"
    teacher, english = results / "teachers/miniature_nli_en", results / "language_sfts/miniature_en.safetensors"
    task = task_named("nli")
    in_english = load_finished(task, results / "base_models/miniature", teacher / "sft.safetensors", None, english)
    for name, value in task.load_model(teacher).named_parameters():
        torch.testing.assert_close(in_english.get_parameter(name), value, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_with_language_sfts_from_corpora_to_the_result(workspace):
    run = with_language_sfts(workspace, en="train", sw="train").snakemake("results/xnli_sw.json")
    assert run.returncode == 0, run.stdout
    results = workspace.folder / "results"
    result = json.loads((results / "xnli_sw.json").read_text())
    assert set(result["scores"]["teacher"]) == {"en", "sw"}
    assert set(result["provenance"]["config"]["language_sft"]) == {"en", "sw"}
    english, swahili = (results / f"language_sfts/miniature_{language}.safetensors" for language in ("en", "sw"))
    teacher, base, task = results / "teachers/miniature_nli_en", results / "base_models/miniature", task_named("nli")
    in_english = load_finished(task, base, teacher / "sft.safetensors", language_sft=english)
    for name, value in task.load_model(teacher).named_parameters():
        torch.testing.assert_close(in_english.get_parameter(name), value, rtol=0, atol=1e-6)
    in_swahili = load_finished(task, base, teacher / "sft.safetensors", language_sft=swahili)
    assert any(not torch.equal(value, in_english.get_parameter(name)) for name, value in in_swahili.named_parameters())


@pytest.mark.slow
def test_phase1_differs_by_the_language_sfts_that_the_teacher_wears(workspace):
    student = "results/students/miniature_en-sw"

    def weights() -> bytes:
        run = workspace.snakemake(student)
        assert run.returncode == 0, run.stdout
        return (workspace.folder / student / "model.safetensors").read_bytes()

    bare = weights()
    adapted = weights() if with_language_sfts(workspace, sw="train") else b""
    assert adapted != bare
    workspace.config["language_sft"] = {}
    assert weights() == bare
    published = workspace.folder / "published"
    base = workspace.folder / "results/base_models/miniature"
    learnt = SparseFineTuning.load(workspace.folder / "results/language_sfts/miniature_sw.safetensors")
    learnt.save_composable(published)
    with_language_sfts(workspace, sw={"kind": "file", "path": str(published)})
    assert weights() == adapted
    assert base.is_dir()


@pytest.mark.slow
def test_a_self_taught_student_learns_from_the_labels(workspace):
    workspace.config["phase2"]["nli"]["teacher"] = "none"
    run = workspace.snakemake("results/sft/xnli_sw.safetensors")
    assert run.returncode == 0, run.stdout
    record = json.loads((workspace.folder / "results/sft/xnli_sw.training.json").read_text())
    assert set(record["sparse"]["training"][-1]) == {"step", "loss", "task"}
    assert not (workspace.folder / "results/teachers").exists()
    assert len(pq.read_table(Path(workspace.folder) / "results/tasks/nli_en/train.parquet"))
