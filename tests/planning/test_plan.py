"""The plan has the jobs that Snakemake has, and sets beside them what they have taken."""

import copy
import json
import re
from collections import Counter

import pytest
import yaml
from transformers import BertConfig

from benchmarks.scale import generated, paper
from bistil_core.files import read_json
from bistil_core.planning.plan import plan
from bistil_core.planning.sizes import Sizes
from bistil_core.planning.steps import steps_of
from bistil_core.settings.loading import load_configuration
from tests.pipeline.conftest import REPOSITORY, Workspace, configuration, write_inputs
from tests.pipeline.experiments import of_every_kind, with_published_sfts, write_user_files

MINIATURE = yaml.safe_load((REPOSITORY / "config.yaml").read_text())


def of_several_source_languages() -> dict:
    """Teachers of English and Spanish, each of the languages with an SFT."""
    config = copy.deepcopy(of_every_kind())
    config["corpora"]["es"] = config["corpora"]["tr"]
    config["language_sft"] = dict.fromkeys(("en", "es", "sw"), "train")
    for task in ("nli", "ner"):
        config["teacher"][task]["languages"] = ["en", "es"]
    return config


@pytest.mark.parametrize(
    "experiment", [paper, of_every_kind, with_published_sfts, of_several_source_languages, lambda: MINIATURE]
)
def test_the_jobs_are_those_of_a_dry_run(tmp_path, monkeypatch, experiment):
    config = experiment()
    write_user_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    for folder in tmp_path.glob("*-dp"):
        BertConfig().save_pretrained(folder)
    run = Workspace(tmp_path, config).snakemake(dry_run=True)
    assert run.returncode == 0, run.stdout
    listed = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", run.stdout, re.MULTILINE)}
    found = Counter(step.rule for step in steps_of(load_configuration(config), Sizes()))
    assert found == {rule: count for rule, count in listed.items() if rule not in ("all", "total")}


def test_what_steps_took_stands_beside_what_was_predicted(tmp_path):
    taken = {"results/corpora/sw": 10.0, "results/corpora/en": 20.0, "results/teachers/miniature_nli_en": 300.0}
    plan(load_configuration(MINIATURE), tmp_path / "plan.json", "cpu", 1, taken)
    found = read_json(tmp_path / "plan.json")
    stages = {stage["stage"]: stage for stage in found["stages"]}
    assert stages["prepare_corpus"]["jobs"] == 3
    assert stages["prepare_corpus"]["taken"]["jobs"] == 2
    assert stages["prepare_corpus"]["taken"]["seconds"] == 30.0
    assert stages["prepare_corpus"]["taken"]["predicted_seconds"] < stages["prepare_corpus"]["seconds"]
    assert found["total"]["taken"] == {**found["total"]["taken"], "jobs": 3, "seconds": 330.0}
    assert {step["output"]: step["taken"] for step in found["steps"] if step["taken"]} == taken
    assert found["total"]["gpu_seconds"] == 0
    assert found["assumptions"] == []


def test_the_paper_s_students_are_most_of_its_gpu_time_and_what_is_not_known_is_said(tmp_path, caplog):
    caplog.set_level("INFO", logger="bistil")
    plan(load_configuration(paper()), tmp_path / "plan.json", "A100", 1, {})
    found = read_json(tmp_path / "plan.json")
    stages = {stage["stage"]: stage for stage in found["stages"]}
    assert stages["distil_phase1"]["gpu_seconds"] > 0.5 * found["total"]["gpu_seconds"]
    assert stages["prepare_corpus"]["gpu_seconds"] == 0
    assert stages["download_model"]["download_bytes"] == pytest.approx(4 * (278e6 + 178e6 + 278e6), rel=0.02)
    assert any("corpora without maximum_characters" in sentence for sentence in found["assumptions"])
    assert "| distil_phase1 | 46 |" in caplog.text
    assert "not measured" in caplog.text


def test_more_languages_share_the_teacher_only():
    few, many = (Counter(step.rule for step in steps_of(load_configuration(generated(n, 1)), Sizes())) for n in (2, 4))
    assert few["fine_tune_teacher"] == many["fine_tune_teacher"] == 4
    assert many["distil_phase1"] == 2 * few["distil_phase1"] == 4
    assert many["distil_phase2"] == 16


@pytest.mark.slow
def test_a_plan_after_a_run_has_the_seconds_that_it_took(tmp_path):
    write_inputs(tmp_path)
    workspace = Workspace(tmp_path, configuration())
    assert workspace.snakemake("results/corpora/sw").returncode == 0
    after = workspace.snakemake("plan")
    assert after.returncode == 0, after.stdout
    steps = json.loads((tmp_path / "results" / "plan.json").read_text())["steps"]
    (step,) = (step for step in steps if step["taken"] is not None)
    assert step["output"] == "results/corpora/sw"
    assert 0 < step["taken"] < 60
