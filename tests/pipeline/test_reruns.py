"""What is stale after real runs of a tiny experiment, and what is taken for done: by the dry run's job list."""

import copy
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from bistil_core.staleness import code_digest
from tests.pipeline.conftest import REPOSITORY, Workspace, configuration, write_inputs
from tests.pipeline.experiments import copy_of_repository, replaced
from tests.pipeline.test_end_to_end import planned

pytestmark = pytest.mark.slow
THEN = yaml.safe_load((REPOSITORY / "tests" / "pipeline" / "staleness.yaml").read_text())["then"]
TARGET = "results/xnli_sw.json"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder in which the tiny experiment has been run by a copy of the repository, which tests may edit."""
    folder = tmp_path_factory.mktemp("reruns")
    write_inputs(folder)
    shutil.copy(folder / "sw.txt", folder / "tr.txt")
    shutil.copy(folder / "nli-sw.tsv", folder / "nli-tr.tsv")
    # Through JSON, so that no two keys share one dictionary.
    config = json.loads(json.dumps(configuration()))
    workspace = Workspace(folder, config, copy_of_repository(folder / "repository"))
    run = workspace.snakemake(TARGET)
    assert run.returncode == 0, run.stdout
    return workspace


def stale_with(workspace, config):
    """Jobs by rule of a dry run with another configuration; nothing is changed."""
    return planned(Workspace(workspace.folder, config, workspace.repository), TARGET)


def following(steps):
    """The steps and all that follows from them."""
    found, waiting = set(), list(steps)
    while waiting:
        step = waiting.pop()
        if step not in found:
            found.add(step)
            waiting += THEN[step]
    return found


SCORED = ["evaluate_model", "export_model", "assemble_result"]
TASK_DISTILLED = ["distil_phase2", "measure_speed", *SCORED]
VALUES = {
    ("evaluate", "batch_size"): (8, SCORED),
    ("phase2", "nli", "density"): (0.2, TASK_DISTILLED),
    ("phase2", "nli", "seed"): (5, TASK_DISTILLED),
    ("phase1", "seed"): (5, ["distil_phase1", *TASK_DISTILLED]),
    ("trim", "threshold"): (1.0e-3, ["trim_bilingual_vocabulary", "distil_phase1", *TASK_DISTILLED]),
    ("teacher", "nli", "fine_tuning", "seed"): (5, ["fine_tune_teacher", *TASK_DISTILLED]),
}


@pytest.mark.parametrize("path", VALUES, ids=".".join)
def test_a_changed_value_makes_stale_the_step_that_uses_it_and_what_follows(finished, path):
    value, steps = VALUES[path]
    config = copy.deepcopy(finished.config)
    section = config
    for name in path[:-1]:
        section = section[name]
    section[path[-1]] = value
    assert set(stale_with(finished, config)) == set(steps)


def test_nothing_changed(finished):
    assert stale_with(finished, finished.config) == {}


def test_files_that_are_only_touched(finished):
    for path in [*finished.folder.glob("*.t*"), *finished.repository.rglob("*")]:
        path.touch()
    assert stale_with(finished, finished.config) == {}


def test_the_same_values_in_another_spelling_and_order(finished):
    config = copy.deepcopy(finished.config)
    config["phase2"]["nli"]["temperature"] = 2
    config["phase1"]["steps"] = 3.0
    config["phase1"] = dict(reversed(config["phase1"].items()))
    assert stale_with(finished, config) == {}


def test_two_values_that_change_places(finished):
    config = copy.deepcopy(finished.config)
    settings = config["phase1"]
    settings["batch_size"], settings["evaluate_every"] = 4, 2
    once = stale_with(finished, config)
    settings["batch_size"], settings["evaluate_every"] = 2, 4
    assert set(once) == set(stale_with(finished, config)) == following(["distil_phase1"])


def test_a_new_target_language_is_its_own_jobs_only(finished):
    config = copy.deepcopy(finished.config)
    config["benchmarks"]["xnli"]["languages"] = ["sw", "tr"]
    config["corpora"]["tr"] = {"source": {"kind": "files", "paths": ["tr.txt"]}, "validation_fraction": 0.2}
    assert stale_with(finished, config) == {}
    jobs = planned(Workspace(finished.folder, config, finished.repository), "results/xnli_tr.json")
    assert jobs == Counter(
        prepare_corpus=1, prepare_test_data=1, count_corpus_tokens=1, trim_bilingual_vocabulary=1, distil_phase1=1,
        distil_phase2=1, evaluate_model=3, measure_speed=1, export_model=1, assemble_result=1,
    )  # fmt: skip


def test_a_language_sft_reaches_what_wears_it(finished):
    config = copy.deepcopy(finished.config)
    config["language_sft"] = {"sw": "train"}
    config["train_language_sft"] = {
        "learning_rate": 1.0e-3, "batch_size": 2, "block_length": 16, "minimum_steps": 2, "maximum_steps": 2,
    }  # fmt: skip
    jobs = stale_with(finished, config)
    assert set(jobs) == following(["distil_phase1"]) | {"train_language_sft"}
    # The teacher wears it in Swahili only; the student is scored in both languages.
    assert jobs["evaluate_model"] == 3


def test_an_edited_input_file(finished):
    with replaced(finished.folder / "sw.txt", "maembe", "ndizi"):
        assert set(stale_with(finished, finished.config)) == following(["prepare_corpus"])
    assert stale_with(finished, finished.config) == {}


LOSSES = "bistil_core/training/losses.py"
LAST_LINE, OTHER_LINE = "part_of_mean(means, entries).mean()", "part_of_mean(means, entries).sum()"
CODE_CHANGES = {
    "a comment": (LOSSES, "squares = ", "# Squared.\n    squares = ", []),
    "a docstring": (LOSSES, '"""L_attn: the mean', '"""L_attn: now the mean', []),
    "a layout": (LOSSES, "aligned[0])", "aligned[\n        0\n    ])", []),
    "the attention loss": (LOSSES, LAST_LINE, OTHER_LINE, [
        "distil_phase1", "fine_tune_teacher", "distil_phase2",
    ]),
    "the cut": ("bistil_core/vocabulary/counting.py", "threshold", "threshhold", [
        "count_corpus_tokens", "trim_bilingual_vocabulary",
    ]),
    "a metric": ("bistil_core/evaluation/intervals.py", "/ 2.0", "/ 2.5", ["evaluate_model"]),
    "the model card": ("bistil_core/evaluation/model_card.py", "bilingual student", "small student", ["export_model"]),
    "what the configuration may say": ("bistil_core/settings/phase1.py", "class ", "KEYS = 1\n\n\nclass ", []),
    "how files become examples": ("bistil_core/data/examples.py", "10_000", "20_000", [
        "prepare_training_data", "prepare_test_data",
    ]),
    "the generator of examples": ("bistil_core/data/example_sources/miniature.py", "def ", "PARTS = 1\n\n\ndef ", []),
    "progress": ("bistil_core/progress.py", "error: %s", "failed: %s", []),
    "another task": ("bistil_core/tasks/qa.py", "NOWHERE = 0", "NOWHERE = 1", []),
    "another family": ("bistil_core/models/families/eurobert.py", '"layers"', '"layer"', []),
    "an unused source": ("bistil_core/data/example_sources/github.py", "(file,)", "(one,)", []),
    "a script": ("workflow_scripts/measure_speed.py", "threads=", "threads=0 + ", ["measure_speed"]),
}  # fmt: skip


@pytest.mark.parametrize("what", CODE_CHANGES)
def test_changed_code_makes_stale_what_runs_it(finished, what):
    name, old, new, steps = CODE_CHANGES[what]
    with replaced(finished.repository / name, old, new):
        assert set(stale_with(finished, finished.config)) == following(steps)


def test_a_stash_and_its_return(finished):
    def git(*arguments):
        subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
            cwd=finished.repository, check=True, capture_output=True,
        )  # fmt: skip

    git("init")
    git("add", "-A")
    git("commit", "-m", "all")
    losses = finished.repository / LOSSES
    losses.write_text(losses.read_text().replace(".mean()", ".sum()"))
    git("stash")
    git("stash", "pop")
    git("checkout", ".")
    assert stale_with(finished, finished.config) == {}
    shutil.rmtree(finished.repository / ".git")


def test_the_reason_names_the_key_and_the_module_with_old_and_new(finished):
    def plan(config):
        return Workspace(finished.folder, config, finished.repository).snakemake(TARGET, dry_run=True).stdout

    config = copy.deepcopy(finished.config)
    config["phase2"]["nli"]["density"] = 0.25
    assert re.search(r"Reason: Params have changed since last execution: density: 0\.1 -> 0\.25\s", plan(config))
    with replaced(finished.repository / LOSSES, LAST_LINE, OTHER_LINE):
        assert re.search(r"bistil_core\.training\.losses: [0-9a-f]{12} -> [0-9a-f]{12}", plan(finished.config))


def test_intermediates_may_go(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished.folder, folder, symlinks=True)
    keeping = Workspace(folder, copy.deepcopy(finished.config), finished.repository)
    refused = keeping.snakemake("clean")
    assert refused.returncode != 0
    assert "Set keep_intermediates: false" in refused.stdout
    assert (folder / "results" / "corpora" / "en").is_dir()
    dropping = Workspace(folder, {**finished.config, "keep_intermediates": False}, finished.repository)
    assert dropping.snakemake("clean").returncode == 0
    assert not (folder / "results" / "corpora").exists()
    assert planned(dropping, TARGET) == {}
    for kept in ("students", "teachers", "vocabularies", "sft", "models/xnli_sw", "xnli_sw.json"):
        assert (folder / "results" / kept).exists()


def folder_of(workspace: Workspace, tmp_path: Path) -> Path:
    """A copy of the finished folder, for tests that change what lies there."""
    return Path(shutil.copytree(workspace.folder, tmp_path / "copy", symlinks=True))


def test_a_change_is_accepted_by_touching(finished, tmp_path):
    config = copy.deepcopy(finished.config)
    config["phase2"]["nli"]["density"] = 0.2
    config["evaluate"]["batch_size"] = 8
    accepting = Workspace(folder_of(finished, tmp_path), config, finished.repository)
    before = {name: content for name, (_, content) in accepting.files().items()}
    assert set(planned(accepting, TARGET)) == set(TASK_DISTILLED)
    assert accepting.snakemake(TARGET, touch=True).returncode == 0
    assert planned(accepting, TARGET) == {}
    assert {name: content for name, (_, content) in accepting.files().items()} == before
    # What it was before is the change now.
    accepting.config = finished.config
    assert set(planned(accepting, TARGET)) == set(TASK_DISTILLED)


INTERMEDIATES = ("base_models", "corpora", "counts", "tasks", "benchmarks")


def test_intermediates_go_with_snakemakes_own_option(finished, tmp_path):
    dropping = Workspace(
        folder_of(finished, tmp_path), {**finished.config, "keep_intermediates": False}, finished.repository
    )
    before = set(dropping.files())
    assert dropping.snakemake(TARGET, delete_temp_output=True).returncode == 0
    gone = {name for name in before - set(dropping.files()) if ".snakemake_timestamp" not in name}
    assert {name.split("/")[0] for name in gone} == set(INTERMEDIATES)
    assert planned(dropping, TARGET) == {}


def test_a_run_that_drops_its_intermediates_makes_the_same_result(finished, tmp_path):
    write_inputs(tmp_path)
    dropping = Workspace(tmp_path, {**finished.config, "keep_intermediates": False}, finished.repository)
    run = dropping.snakemake(TARGET)
    assert run.returncode == 0, run.stdout
    for name in INTERMEDIATES:
        left = [path for path in (tmp_path / "results" / name).rglob("*") if path.is_file()]
        assert left == [], name
    whole, lean = ({name: content for name, (_, content) in each.files().items()} for each in (finished, dropping))
    made = {name for name in lean if not name.endswith((".speed.json", ".snakemake_timestamp"))}
    assert made >= {"xnli_sw.json", "models/xnli_sw/model.safetensors", "sft/xnli_sw.safetensors"}
    assert {name: lean[name] for name in made} == {name: whole[name] for name in made}
    assert planned(dropping, TARGET) == {}


def test_every_module_that_a_step_imports_counts_in_its_digest():
    """Against the interpreter's own account of what was imported."""
    for script in sorted((REPOSITORY / "workflow_scripts").glob("*.py")):
        imports = [line for line in script.read_text().splitlines() if line.startswith("from bistil_core")]
        lines = [*imports, "import sys", "print(*(name for name in sys.modules if name.startswith('bistil_core')))"]
        run = subprocess.run(
            ["python", "-c", "\n".join(lines)], capture_output=True, text=True, check=True, cwd=REPOSITORY
        )
        digest = code_digest(str(script))
        empty = {name for name in run.stdout.split() if not _has_code(name)}
        assert set(run.stdout.split()) - set(digest) - empty - {"bistil_core"} == set(), script.name


def _has_code(module):
    return module in code_digest(module)
