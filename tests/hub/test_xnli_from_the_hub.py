"""configs/xnli.yaml as it is, but for fewer steps and a published teacher, against the loopback hub."""

import copy
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from transformers import AutoTokenizer

from bistil_core.files import read_json
from bistil_core.models.sparse import SparseFineTuning
from bistil_core.scoring import LabelledData, score_model
from bistil_core.tasks import nli
from tests.hub.loopback import Fault

REPOSITORY = Path(__file__).parents[2]

FEWER_STEPS = {
    "corpora": {"en": {"source": {"maximum_characters": 20_000}, "validation_fraction": 0.1}},
    "phase1": {"steps": 3, "batch_size": 2, "block_length": 16, "evaluate_every": 2, "validation_blocks": 4},
    "teacher": {
        "nli": {
            "fine_tuning": None,
            "task_sft": {
                "kind": "hub", "repository": "owner/xlmr-task-sft-nli", "revision": "main",
                "labels": ["contradiction", "entailment", "neutral"],
            },
        }
    },
    "phase2": {"nli": {"dense_epochs": 1, "sparse_epochs": 1, "max_length": 48}},
    "evaluate": {"bootstrap_samples": 20, "speed_repeats": 2, "speed_length": 16},
}  # fmt: skip
OTHER_COMMIT = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
DOWNLOADS = [
    "datasets/facebook--xnli_en_test",
    "datasets/facebook--xnli_sw_test",
    "datasets/nyu-mll--multi_nli_train",
    "datasets/nyu-mll--multi_nli_validation_matched",
    "datasets/wikimedia--wikipedia_20231101.en_train",
    "datasets/wikimedia--wikipedia_20231101.sw_train",
    "models/FacebookAI--xlm-roberta-base",
    "models/owner--xlmr-task-sft-nli",
]


def snakemake(
    folder: Path, *arguments: str, changes: dict = FEWER_STEPS, **environment: str
) -> subprocess.CompletedProcess:
    (folder / "fewer_steps.yaml").write_text(yaml.safe_dump(changes))
    return subprocess.run(
        [
            sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor",
            "--snakefile", str(REPOSITORY / "Snakefile"), "--directory", str(folder),
            "--workflow-profile", str(REPOSITORY / "profiles" / "default"),
            "--configfile", str(REPOSITORY / "configs" / "xnli.yaml"), "fewer_steps.yaml", *arguments,
        ],
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=900,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
    )  # fmt: skip


def downloaded(folder: Path) -> list[str]:
    """The downloads that are finished, without their revisions; anything unfinished shows by its name."""
    root = folder / "results" / "downloads"
    return sorted(f"{path.parent.name}/{path.name.rpartition('_')[0] or path.name}" for path in root.glob("*/*"))


@pytest.fixture
def commits_of_the_configuration(hub):
    """The small repositories answer to the commits that the configuration names."""
    values = yaml.safe_load((REPOSITORY / "configs" / "xnli.yaml").read_text())
    sources = [model["source"] for model in values["base_models"].values()]
    sources += [corpus["source"] for corpus in values["corpora"].values()]
    sources += [values["teacher"]["nli"]["train"], values["benchmarks"]["xnli"]["test"]]
    for source in sources:
        repository = next(each for (_, name), each in hub.repositories.items() if name == source["repository"])
        repository.commit = source["revision"]
    return hub


@pytest.mark.slow
def test_xnli_in_swahili_from_the_hub_to_the_result(commits_of_the_configuration, tmp_path):
    hub = commits_of_the_configuration
    hub.faults = [
        Fault("/api/datasets/wikimedia.*/revision/", "503"),
        Fault("^/storage/.*20231101.sw", "cut"),
        Fault("^/storage/FacebookAI.*model.safetensors", "altered"),
    ]
    fetched = snakemake(
        tmp_path, "--until", "download_model", "download_dataset", "--", "results/xnli_sw.json", HF_TOKEN="hf_secret"
    )
    assert fetched.returncode == 0, fetched.stdout
    assert downloaded(tmp_path) == DOWNLOADS
    assert "hf_secret" not in fetched.stdout
    assert not any("hf_secret" in path.read_text() for path in (tmp_path / "logs").rglob("*.log"))
    assert [fault.times for fault in hub.faults] == [0, 0, 0], "a fault that never happened proves nothing"

    hub.close()
    hub.requests.clear()
    made = snakemake(tmp_path, "--", "results/xnli_sw.json", HF_HUB_OFFLINE="1")
    assert made.returncode == 0, made.stdout
    assert "download_" not in made.stdout
    result = read_json(tmp_path / "results" / "xnli_sw.json")
    configured = yaml.safe_load((REPOSITORY / "configs" / "xnli.yaml").read_text())
    assert result["base_model"]["name"] == "FacebookAI/xlm-roberta-base"
    assert result["base_model"]["revision"] == configured["base_models"]["xlmr"]["source"]["revision"]
    assert result["experiment"] == {"name": "xnli", "synthetic": False}
    assert {part: result["data"][part]["examples"] for part in ("train", "validation", "test")} == {
        "train": 96, "validation": 24, "test": 30,
    }  # fmt: skip
    assert result["data"]["test"]["revision"] == configured["benchmarks"]["xnli"]["test"]["revision"]
    assert result["data"]["corpora"]["sw"]["documents"]["read"] == 150
    assert len(result["data"]["corpora"]["en"]["files"]) == 2

    # The teacher by hand: theta + phi_task, and the rows of its head in our order.
    model = nli.load_model(tmp_path / "results" / "base_models" / "xlmr")
    (published,) = (tmp_path / "results" / "downloads" / "models").glob("owner--*")
    sft = SparseFineTuning.load(published)
    for name in ("classifier.out_proj.weight", "classifier.out_proj.bias"):
        sft.replacements[name] = sft.replacements[name][[1, 2, 0]]
    sft.apply(model)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "results" / "base_models" / "xlmr")
    examples = pq.read_table(tmp_path / "results" / "benchmarks" / "xnli_sw" / "test.parquet")
    counts, _ = score_model(model, LabelledData.encoded(nli.TASK, examples, tokenizer, 48, "sw"), 64)
    found = {name: float(value) for name, value in nli.metrics(counts.sum(axis=0)).items()}
    assert result["all_metrics"]["teacher"]["sw"] == found
    assert (counts.sum(axis=0).reshape(3, 3).sum(axis=0) > 0).sum() > 1, "labels in any order would score the same"

    def stale(section, name, part):
        changes = copy.deepcopy(FEWER_STEPS)
        changes.setdefault(section, {}).setdefault(name, {})[part] = {"revision": OTHER_COMMIT}
        plan = snakemake(tmp_path, "--dry-run", "--", "results/xnli_sw.json", changes=changes)
        return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", plan.stdout, re.MULTILINE)}

    scored = {"measure_speed": 1, "export_model": 1, "assemble_result": 1}
    assert stale("corpora", "sw", "source") == {
        "download_dataset": 1, "prepare_corpus": 1, "count_corpus_tokens": 1, "trim_bilingual_vocabulary": 1,
        "distil_phase1": 1, "distil_phase2": 1, "evaluate_model": 2, **scored, "total": 11,
    }  # fmt: skip
    assert stale("benchmarks", "xnli", "test") == {
        "download_dataset": 2, "prepare_test_data": 2, "evaluate_model": 4, "export_model": 1, "assemble_result": 1,
        "total": 10,
    }  # fmt: skip


@pytest.mark.slow
def test_a_gated_data_set_stops_the_run_with_what_to_do(commits_of_the_configuration, tmp_path):
    hub = commits_of_the_configuration
    hub.faults = [Fault("/api/datasets/facebook", "401", times=99, headers={"X-Error-Code": "GatedRepo"})]
    run = snakemake(tmp_path, "--", "results/benchmarks/xnli_sw")
    assert run.returncode != 0
    assert "data set facebook/xnli at revision" in run.stdout
    assert "Accept its conditions" in run.stdout
    assert "download_dataset failed: open logs/download_dataset/facebook--xnli_sw_test_" in run.stdout
    assert "Traceback" not in run.stdout
    assert downloaded(tmp_path) == []


@pytest.mark.parametrize("name", ["xnli", "americasnli"])
def test_a_dry_run_shares_teacher_and_base_and_downloads_each_thing_once(tmp_path, name):
    run = subprocess.run(
        [
            sys.executable, "-m", "snakemake", "-n", "--nocolor", "--snakefile", str(REPOSITORY / "Snakefile"),
            "--directory", str(tmp_path), "--workflow-profile", str(REPOSITORY / "profiles" / "default"),
            "--configfile", str(REPOSITORY / "configs" / f"{name}.yaml"),
        ],
        cwd=tmp_path, text=True, capture_output=True, check=False, timeout=60,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    jobs = dict(
        line.split() for line in run.stdout.splitlines() if len(line.split()) == 2 and line.split()[1].isdigit()
    )
    languages, published_sfts = {"xnli": (1, 0), "americasnli": (10, 11)}[name]
    teacher = {"xnli": "fine_tune_teacher", "americasnli": "compose_teacher"}[name]
    assert jobs["prepare_base_model"] == jobs[teacher] == "1"
    assert jobs["download_model"] == str(1 + published_sfts)
    assert jobs["distil_phase1"] == jobs["distil_phase2"] == jobs["assemble_result"] == str(languages)
    assert jobs["download_dataset"] == str(2 + 2 * (languages + 1))
