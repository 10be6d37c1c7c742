"""What each configuration key makes stale, by the jobs that a dry run lists, for every key that the schema has."""

import ast
import json
import re

import pytest
import yaml

from tests.pipeline.conftest import REPOSITORY, Workspace
from tests.pipeline.experiments import (
    changed,
    copy_of_repository,
    of_every_kind,
    places,
    pretend_finished,
    replaced,
    schema_keys,
    stale_jobs,
    with_published_sfts,
    write_user_files,
)

pytestmark = pytest.mark.slow
TABLE = yaml.safe_load((REPOSITORY / "tests" / "pipeline" / "staleness.yaml").read_text())
ROWS = TABLE["keys"]
MODULES = yaml.safe_load((REPOSITORY / "tests" / "pipeline" / "modules.yaml").read_text())
RESULT = "assemble_result"


@pytest.fixture(scope="module")
def experiments(tmp_path_factory):
    """Experiments that between them set every key, all steps of them taken for done."""
    made = {}
    for name, config in (("of_every_kind", of_every_kind()), ("with_published_sfts", with_published_sfts())):
        folder = tmp_path_factory.mktemp(name)
        write_user_files(folder)
        made[name] = Workspace(folder, config, copy_of_repository(folder / "repository"))
        pretend_finished(made[name])
        assert stale_jobs(made[name]) == []
    return made


def test_the_table_has_a_row_for_every_key_of_the_schema_and_no_other():
    assert sorted(ROWS) == sorted(schema_keys())


@pytest.mark.parametrize("key", ROWS)
def test_a_changed_key_makes_stale_what_the_table_says(experiments, key):
    row = ROWS[key]
    workspace = experiments[row.get("in", "of_every_kind")]
    found = places(workspace.config, key)
    path = found[list(ROWS).index(key) % len(found)]
    other = Workspace(workspace.folder, changed(workspace.config, path, row["to"]), workspace.repository)
    if "error" in row:
        run = other.snakemake(dry_run=True)
        assert run.returncode != 0
        assert re.search(row["error"], run.stdout)
        return
    jobs = stale_jobs(other)
    assert {job.rule for job in jobs if job.stale_itself} - {RESULT} == set(row["steps"])
    if not row["steps"]:
        assert "because" in row
        assert {job.rule for job in jobs} == ({RESULT} if row.get("in_result") else set())
    names = [name for name, part in zip(path, key.split("."), strict=True) if part.startswith("*")]
    # What belongs to one language, task, benchmark or model leaves the others alone; all need the source language.
    for name in set(names) - {workspace.config["source_language"]}:
        assert [job for job in jobs if not job.mentions(name)] == []


def test_a_teacher_of_one_more_language_is_stale_and_needs_its_data(experiments):
    workspace = experiments["of_every_kind"]
    config = changed(workspace.config, ["teacher", "nli", "languages"], ["sw", "en"])
    jobs = stale_jobs(Workspace(workspace.folder, config, workspace.repository))
    itself = {(job.rule, job.wildcards) for job in jobs if job.stale_itself and job.rule != RESULT}
    assert itself == {("prepare_training_data", ("nli", "sw")), ("fine_tune_teacher", ("nli", "nli", "en"))}


def test_each_module_counts_for_the_steps_of_the_table_and_no_others(experiments):
    """From the params that Snakemake noted, as `tests/pipeline/modules.yaml` has them."""
    found = {}
    for record in (file for each in experiments.values() for file in (each.folder / ".snakemake/metadata").rglob("*")):
        noted = json.loads(record.read_text()) if record.is_file() else {"rule": RESULT}
        # A result says what code is behind it: that of all steps before it.
        if noted["rule"] == RESULT:
            continue
        for value in map(ast.literal_eval, noted["params"]):
            for module in value if isinstance(value, dict) else ():
                if module.startswith("bistil_core."):
                    found.setdefault(module.removeprefix("bistil_core."), set()).add(noted["rule"])
    assert {module: sorted(rules) for module, rules in found.items()} == MODULES


@pytest.mark.parametrize("task", ["nli", "ner", "dp", "qa"])
def test_the_code_of_a_task_counts_for_that_task_only(experiments, task):
    workspace = experiments["of_every_kind"]
    with replaced(workspace.repository / "bistil_core" / "tasks" / f"{task}.py", "TASK = ", "OTHER = 1\nTASK = "):
        jobs = stale_jobs(workspace)
    assert {job.rule for job in jobs} > {"fine_tune_teacher", "distil_phase2", "evaluate_model"}
    assert [job for job in jobs if not job.mentions(task)] == []
