"""The whole DAG: what it plans, what it writes, and that it writes the same again."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest
import yaml

from tests.pipeline.conftest import REPOSITORY, Workspace, configuration, write_inputs

STAGES = {
    "prepare_base_model": 1,
    "prepare_corpus": 2,
    "prepare_training_data": 1,
    "prepare_test_data": 2,
    "count_corpus_tokens": 2,
    "trim_bilingual_vocabulary": 1,
    "distil_phase1": 1,
    "fine_tune_teacher": 1,
    "distil_phase2": 1,
    "evaluate_model": 4,
    "export_model": 1,
    "measure_speed": 1,
    "assemble_result": 1,
}

LOAD_WITHOUT_BISTIL = """
import json, sys
sys.modules["bistil_core"] = None
import pyarrow.parquet as pq
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

folder, test = sys.argv[1:]
model = AutoModelForSequenceClassification.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
classify = pipeline("text-classification", model=model, tokenizer=tokenizer)
rows = pq.read_table(test).to_pylist()
pairs = [{"text": row["premise"], "text_pair": row["hypothesis"]} for row in rows]
found = [model.config.label2id[answer["label"]] for answer in classify(pairs, batch_size=64)]
print(json.dumps(sum(label == row["label"] for label, row in zip(found, rows)) / len(rows)))
"""


def planned(workspace: Workspace, *arguments: str) -> Counter:
    """Jobs by rule that a dry run lists."""
    run = workspace.snakemake(*arguments, dry_run=True)
    assert run.returncode == 0, run.stdout
    table = re.search(r"^job +count\n-+ +-+\n(.*?)^total", run.stdout, re.DOTALL | re.MULTILINE)
    lines = table[1].strip().splitlines() if table else []
    return Counter({line.split()[0]: int(line.split()[1]) for line in lines})


def accuracy_without_bistil(workspace: Workspace, language: str) -> float:
    run = subprocess.run(
        [
            sys.executable, "-c", LOAD_WITHOUT_BISTIL,
            str(workspace.folder / "results/models/xnli_sw"),
            str(workspace.folder / f"results/benchmarks/xnli_{language}/test.parquet"),
        ],
        capture_output=True, text=True, check=True, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Workspace:
    """A workspace whose result has been made, with a few steps of everything."""
    folder = tmp_path_factory.mktemp("finished")
    write_inputs(folder)
    workspace = Workspace(folder, configuration())
    run = workspace.snakemake("results/xnli_sw.json")
    assert run.returncode == 0, run.stdout
    assert "Result: results/xnli_sw.json" in run.stdout
    return workspace


def test_a_dry_run_on_a_fresh_clone_lists_exactly_the_stages(tmp_path):
    default = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    assert planned(Workspace(tmp_path, default), "results/xnli_sw.json") == STAGES


def test_teacher_source_data_and_base_are_shared_by_all_target_languages(tmp_path):
    default = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    jobs = planned(Workspace(tmp_path, default), "results/xnli_sw.json", "results/xnli_tr.json")
    shared = ("prepare_base_model", "prepare_training_data", "fine_tune_teacher")
    assert {rule: jobs[rule] for rule in shared} == dict.fromkeys(shared, 1)
    assert jobs["distil_phase1"] == jobs["distil_phase2"] == jobs["trim_bilingual_vocabulary"] == 2
    assert jobs["prepare_corpus"] == jobs["count_corpus_tokens"] == jobs["prepare_test_data"] == 3
    assert jobs["evaluate_model"] == 7


def test_students_of_phase_1_are_shared_by_all_tasks(tmp_path):
    default = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    jobs = planned(Workspace(tmp_path, default))
    assert jobs["assemble_result"] == jobs["distil_phase2"] == 8
    assert jobs["fine_tune_teacher"] == jobs["prepare_training_data"] == 4
    assert jobs["distil_phase1"] == jobs["trim_bilingual_vocabulary"] == 2


@pytest.mark.slow
def test_the_same_command_again_does_nothing(finished):
    before = finished.files()
    run = finished.snakemake("results/xnli_sw.json")
    assert run.returncode == 0
    assert "Nothing to be done" in run.stdout
    assert finished.files() == before


@pytest.mark.slow
def test_the_result_has_the_fields_that_outsiders_rely_on(finished):
    result = json.loads((finished.folder / "results/xnli_sw.json").read_text())
    assert result["schema_version"] == 1
    assert (result["benchmark"], result["task"]) == ("xnli", "nli")
    assert (result["source_language"], result["target_language"]) == ("en", "sw")
    assert result["experiment"] == {"name": "test", "synthetic": True}
    assert set(result["base_model"]) >= {"name", "revision"}
    for part in ("train", "validation", "test"):
        assert set(result["data"][part]) >= {"name", "revision", "sha256", "examples"}
        assert result["data"][part]["examples"] == 60
    assert set(result["data"]["corpora"]) == {"en", "sw"}
    assert all(corpus["tokens"] > 0 for corpus in result["data"]["corpora"].values())
    assert result["metric"] == "accuracy"
    for system in ("student", "teacher"):
        for language in ("en", "sw"):
            low, high = result["intervals"][system][language]
            assert low <= result["scores"][system][language] <= high
            assert set(result["all_metrics"][system][language]) == {"accuracy", "macro_f1"}
        assert set(result["models"][system]) >= {
            "parameters", "embedding_parameters", "vocabulary_size", "layers", "hidden_size", "bytes",
            "flops_per_example",
        }  # fmt: skip
    scores = result["scores"]
    assert result["retention"]["sw"] == pytest.approx(scores["student"]["sw"] / scores["teacher"]["sw"])
    models = result["models"]
    for ratio, key in (("parameters", "parameters"), ("bytes", "bytes"), ("flops", "flops_per_example")):
        assert result["compression"][ratio] == pytest.approx(models["teacher"][key] / models["student"][key])
    assert models["student"]["layers"] * 2 == models["teacher"]["layers"]
    vocabulary = result["vocabulary"]
    assert vocabulary["kept"] == models["student"]["vocabulary_size"] < vocabulary["of"]
    for language in ("en", "sw"):
        assert (
            set(vocabulary["fertility"][language]) == set(vocabulary["unknown_rate"][language]) == {"before", "after"}
        )
    assert isinstance(result["warnings"], list)
    assert 0 < result["sparse_fine_tuning"]["density"] <= 0.1
    assert result["sparse_fine_tuning"]["tuned_parameters"] > 0
    assert set(result["provenance"]) == {
        "config", "config_sha256", "code", "git_commit", "git_dirty", "seed", "versions",
    }  # fmt: skip
    assert result["provenance"]["config"]["benchmarks"]["xnli"]["languages"] == ["sw"]


@pytest.mark.slow
def test_speed_lies_beside_the_result(finished):
    speed = json.loads((finished.folder / "results/xnli_sw.speed.json").read_text())
    assert speed["threads"] == 1
    for figures in speed["models"].values():
        for name in ("latency_ms", "examples_per_second"):
            assert 0 < figures[name]["min"] <= figures[name]["median"] <= figures[name]["max"]
        assert figures["peak_memory_bytes"] > 2**20
    assert speed["speedup"]["latency"] > 1


@pytest.mark.slow
def test_the_production_model_needs_no_bistil_and_gives_the_scores_of_the_result(finished):
    scores = json.loads((finished.folder / "results/xnli_sw.json").read_text())["scores"]["student"]
    for language in ("en", "sw"):
        assert accuracy_without_bistil(finished, language) == pytest.approx(scores[language])
    card = (finished.folder / "results/models/xnli_sw/README.md").read_text()
    assert "Synthetic" in card
    assert f"{scores['sw']:.4f}" in card


@pytest.mark.slow
def test_two_runs_with_one_seed_give_the_same_bytes(finished, tmp_path):
    write_inputs(tmp_path)
    again = Workspace(tmp_path, configuration())
    assert again.snakemake("results/xnli_sw.json").returncode == 0
    first, second = finished.files(), again.files()
    assert first.keys() == second.keys()
    different = [name for name in first if first[name][1] != second[name][1]]
    assert different == ["xnli_sw.speed.json"]


@pytest.mark.slow
def test_every_step_has_a_log_of_its_own_with_its_progress(finished):
    for rule in STAGES:
        assert list((finished.folder / "logs" / rule).glob("*.log")), rule
    log = (finished.folder / "logs/distil_phase1/miniature_en-sw.log").read_text()
    assert re.search(r"phase 1: step 3/3, loss \S+, attention \S+, hidden \S+, [\d,]+ tokens/s, \S+ left", log)


@pytest.mark.slow
def test_a_changed_value_makes_stale_what_uses_it_and_nothing_else(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished.folder, folder)

    def stale(*path, value):
        changed = Workspace(folder, configuration())
        section = changed.config
        for key in path[:-1]:
            section = section[key]
        section[path[-1]] = value
        return planned(changed, "results/xnli_sw.json")

    result = {"assemble_result": 1}
    export = {**result, "export_model": 1}
    scored = {"evaluate_model": 2, "measure_speed": 1, **export}
    assert stale("seed", value=1) == {}
    assert stale("evaluate", "batch_size", value=8) == {"evaluate_model": 4, **export}
    assert stale("phase2", "nli", "density", value=0.2) == {"distil_phase2": 1, **scored}
    assert stale("phase1", "seed", value=5) == {"distil_phase1": 1, "distil_phase2": 1, **scored}
    assert stale("trim", "threshold", value=1.0e-5) == {
        "trim_bilingual_vocabulary": 1, "distil_phase1": 1, "distil_phase2": 1, **scored,
    }  # fmt: skip


@pytest.mark.slow
def test_the_miniature_keeps_what_its_documentation_says(tmp_path):
    workspace = Workspace(tmp_path, yaml.safe_load((REPOSITORY / "config.yaml").read_text()))
    run = workspace.snakemake("results/xnli_sw.json")
    assert run.returncode == 0, run.stdout
    result = json.loads((tmp_path / "results/xnli_sw.json").read_text())
    # One seed moves by a few points about the means in docs/miniature.md.
    assert result["scores"]["teacher"]["en"] >= 0.93
    assert result["scores"]["teacher"]["sw"] >= 0.84
    assert result["retention"]["sw"] >= 0.86
    assert result["compression"]["parameters"] >= 1 / 0.55
