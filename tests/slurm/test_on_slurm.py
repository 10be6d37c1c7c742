"""The pipeline through profiles/slurm: the same bytes as without a cluster, and GPUs for the steps that train.

Tiny, and config.yaml as it is with `pytest -m full -rP`, which also says how long each step took.
"""

import re
from datetime import datetime
from itertools import pairwise

import pytest
import yaml

from tests.pipeline.conftest import REPOSITORY, Workspace, configuration, write_inputs
from tests.slurm.conftest import TRAINING, OnSlurm

ON_GPU = (*TRAINING, "evaluate_model")


@pytest.fixture(
    scope="module", params=[pytest.param("tiny", marks=pytest.mark.slurm), pytest.param("full", marks=pytest.mark.full)]
)
def config(request):
    """The tiny configuration, or the one that is shipped."""
    return configuration() if request.param == "tiny" else yaml.safe_load((REPOSITORY / "config.yaml").read_text())


@pytest.fixture(scope="module")
def local(config, tmp_path_factory):
    """A workspace whose result was made on this machine without a cluster."""
    folder = tmp_path_factory.mktemp("local")
    write_inputs(folder)
    workspace = Workspace(folder, config)
    made = workspace.snakemake("results/xnli_sw.json")
    assert made.returncode == 0, made.stdout
    print(made.stdout)
    return workspace


@pytest.fixture(scope="module")
def finished(config, cluster, tmp_path_factory):
    """A workspace whose result was made on the cluster, what the terminal said, and the cluster's jobs."""
    folder = tmp_path_factory.mktemp("finished")
    write_inputs(folder)
    workspace = OnSlurm(folder, config)
    before = len(cluster.jobs())
    run = workspace.snakemake("results/xnli_sw.json")
    assert run.returncode == 0, run.stdout
    print(run.stdout)
    return workspace, run.stdout, cluster.jobs()[before:]


def test_the_result_has_the_bytes_of_a_run_without_a_cluster(local, finished):
    workspace, *_ = finished
    here, there = local.files(), workspace.files()
    assert here.keys() == there.keys()
    assert [name for name in here if here[name][1] != there[name][1]] == ["xnli_sw.speed.json"]


def test_steps_that_train_have_a_gpu_to_themselves(finished, cluster):
    *_, jobs = finished
    by_gpu = {job["JobId"] for job in jobs if job["Partition"] == "gpu"}
    assert by_gpu == {job["JobId"] for job in cluster.jobs_of(*ON_GPU)} & {job["JobId"] for job in jobs}
    assert len(by_gpu) == len(TRAINING) + 4
    seen = cluster.visible_devices()
    for job in jobs:
        used = (job[name] for name in ("Partition", "StartTime", "EndTime", "TimeLimit", "MinMemoryNode"))
        print(job["Comment"], *used, *seen[job["JobId"]])
    assert all(seen[job["JobId"]] == ({"0"} if job["JobId"] in by_gpu else {"none"}) for job in jobs)
    spans = sorted(
        tuple(datetime.fromisoformat(job[end]) for end in ("StartTime", "EndTime"))
        for job in jobs
        if job["JobId"] in by_gpu
    )
    assert all(end <= start for (_, end), (start, _) in pairwise(spans)), spans


def test_small_steps_share_a_job(finished):
    *_, jobs = finished
    assert len(jobs) == 19 - 2 - 1


def test_the_terminal_has_a_line_for_each_step_with_its_key_figures(finished):
    workspace, said, _ = finished
    lines = [line for line in said.splitlines() if line.startswith("[")]
    assert [line.split("]")[0] for line in lines] == [f"[{number}/19" for number in range(1, 20)]
    (student,) = (line for line in lines if "evaluate_model xnli_sw_student-sw" in line)
    assert "; accuracy 0." in student
    assert re.search(r"on (60|2,?000) examples", student)
    assert said.rstrip().count("Result: results/xnli_sw.json") == 1
    assert "has been submitted" not in said
    assert list((workspace.folder / "logs/slurm").rglob("*.log")), "the jobs' own logs were not kept"


def test_the_same_command_again_submits_nothing(finished, cluster):
    workspace, *_ = finished
    before = len(cluster.jobs())
    run = workspace.snakemake("results/xnli_sw.json")
    assert run.returncode == 0, run.stdout
    assert "Nothing to be done" in run.stdout
    assert len(cluster.jobs()) == before
