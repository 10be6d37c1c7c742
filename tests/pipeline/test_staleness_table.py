"""What each configuration key and each piece of code makes stale, by the dry run's job list."""

import copy
import json
import re
import shutil
import subprocess
from collections import Counter

import pytest
import yaml

from bistil_core.settings.loading import load_configuration
from bistil_core.staleness import code_digest
from tests.pipeline.conftest import REPOSITORY, Workspace, configuration, write_inputs
from tests.pipeline.test_end_to_end import planned

pytestmark = pytest.mark.slow
TABLE = yaml.safe_load((REPOSITORY / "tests" / "pipeline" / "staleness.yaml").read_text())
CHANGES = {key: entry for key, entry in TABLE["keys"].items() if "to" in entry}
TARGET = "results/xnli_sw.json"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder in which the tiny experiment has been run by a copy of the repository, which tests may edit."""
    folder = tmp_path_factory.mktemp("staleness")
    for part in ("rules", "workflow_scripts", "bistil_core", "profiles", "envs"):
        shutil.copytree(REPOSITORY / part, folder / "repository" / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("Snakefile", "config.yaml"):
        shutil.copy(REPOSITORY / part, folder / "repository" / part)
    write_inputs(folder)
    shutil.copy(folder / "en.txt", folder / "other.txt")
    for language in ("en", "sw"):
        shutil.copy(folder / f"nli-{language}.tsv", folder / f"copy-{language}.tsv")
        shutil.copy(folder / f"{language}.txt", folder / "tr.txt")
        shutil.copy(folder / f"nli-{language}.tsv", folder / "nli-tr.tsv")
    # Through JSON, so that no two keys share one dictionary.
    workspace = Workspace(folder, json.loads(json.dumps(configuration())), repository=folder / "repository")
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
            waiting += TABLE["then"][step]
    return found


def changed(config, key, value):
    """Copies of a configuration with `value` at `key`, one for each entry that a * in it stands for."""
    paths = [[]]
    for part in key.split("."):
        paths = [[*path, name] for path in paths for name in _names(config, path, part)]
    for path in paths:
        copied = copy.deepcopy(config)
        section = copied
        for name in path[:-1]:
            section = section.setdefault(name, {})
        section[path[-1]] = value
        yield ".".join(path), copied


def _names(config, path, part):
    if part != "*":
        return [part]
    for name in path:
        config = config[name]
    return [name for name in config if name != "fine_tuning"]


@pytest.mark.parametrize("key", CHANGES)
def test_a_changed_key_makes_stale_what_the_table_says(finished, key):
    value = CHANGES[key]["to"]
    if isinstance(value, dict) and value.get("path") == "{model}":
        value = {**value, "path": str(REPOSITORY / "bistil_core" / "miniature" / "mmt")}
    for path, config in changed(finished.config, key, value):
        assert set(stale_with(finished, config)) == following(CHANGES[key]["steps"]), path


def leaves(tree, prefix=""):
    """The keys of a nested mapping that hold values, joined by dots."""
    for name, value in tree.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}.")
        else:
            yield path


def test_the_table_knows_every_key():
    known = {re.compile(re.escape(key).replace(r"\*", r"\w+") + r"\Z") for key in TABLE["keys"]}
    every = leaves(load_configuration(configuration()).model_dump())
    assert [key for key in every if not any(pattern.match(key) for pattern in known)] == []


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
    text = finished.folder / "sw.txt"
    before = text.read_text()
    text.write_text(before + "mpishi alinunua maembe leo\n")
    try:
        assert set(stale_with(finished, finished.config)) == following(["prepare_corpus"])
    finally:
        text.write_text(before)
    assert stale_with(finished, finished.config) == {}


LOSSES = "bistil_core/training/losses.py"
CODE_CHANGES = {
    "a comment": (LOSSES, "squares = ", "# Squared.\n    squares = ", []),
    "a docstring": (LOSSES, '"""L_attn: the mean', '"""L_attn: now the mean', []),
    "a layout": (LOSSES, "aligned[0])", "aligned[\n        0\n    ])", []),
    "the attention loss": (LOSSES, "return torch.stack(layers).mean()", "return torch.stack(layers).sum()", [
        "distil_phase1", "fine_tune_teacher", "distil_phase2",
    ]),
    "the cut": ("bistil_core/vocabulary/counting.py", "threshold", "threshhold", [
        "count_corpus_tokens", "trim_bilingual_vocabulary",
    ]),
    "a metric": ("bistil_core/evaluation/intervals.py", "/ 2.0", "/ 2.5", ["evaluate_model"]),
    "the model card": ("bistil_core/evaluation/model_card.py", "bilingual student", "small student", ["export_model"]),
    "progress": ("bistil_core/progress.py", "error: %s", "failed: %s", []),
    "another task": ("bistil_core/tasks/qa.py", "NOWHERE = 0", "NOWHERE = 1", []),
    "another family": ("bistil_core/models/families/eurobert.py", '"layers"', '"layer"', []),
    "an unused source": ("bistil_core/data/sources/github.py", "(file,)", "(one,)", []),
    "a script": ("workflow_scripts/measure_speed.py", "threads=", "threads=0 + ", ["measure_speed"]),
}  # fmt: skip


@pytest.mark.parametrize("what", CODE_CHANGES)
def test_changed_code_makes_stale_what_runs_it(finished, what):
    name, old, new, steps = CODE_CHANGES[what]
    file = finished.repository / name
    before = file.read_text()
    assert old in before
    file.write_text(before.replace(old, new))
    try:
        # The result names the digests of all code behind it.
        assert set(stale_with(finished, finished.config)) == following(steps)
    finally:
        file.write_text(before)


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


def test_the_reason_names_the_key_and_the_module_with_old_and_new(finished):
    def plan(config):
        return Workspace(finished.folder, config, finished.repository).snakemake(TARGET, dry_run=True).stdout

    config = copy.deepcopy(finished.config)
    config["phase2"]["nli"]["density"] = 0.25
    assert re.search(r"Reason: Params have changed since last execution: density: 0\.1 -> 0\.25\s", plan(config))
    losses = finished.repository / LOSSES
    before = losses.read_text()
    losses.write_text(before.replace("torch.stack(layers).mean()", "torch.stack(layers).sum()"))
    try:
        assert re.search(r"bistil_core\.training\.losses: [0-9a-f]{12} -> [0-9a-f]{12}", plan(finished.config))
    finally:
        losses.write_text(before)


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
