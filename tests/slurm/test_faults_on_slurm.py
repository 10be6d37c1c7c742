"""What goes wrong on a cluster ends well: the right result, from the last checkpoint, within a bound."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.conftest import Workspace, configuration, write_inputs
from tests.pipeline.processes import steps
from tests.slurm.cluster import Cluster, run, wait_until
from tests.slurm.conftest import OnSlurm

pytestmark = pytest.mark.slurm

BOUND = 600
"""Seconds within which a run must be over, whatever befell it."""

RULE = "fine_tune_teacher"
TEACHER = "results/teachers/miniature_nli_en"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Workspace:
    """A teacher that was trained without a cluster or interruption, with a checkpoint at every step."""
    folder = tmp_path_factory.mktemp("whole")
    write_inputs(folder)
    workspace = Workspace(folder, configuration())
    fine_tuning = workspace.config["teacher"]["nli"]["fine_tuning"]
    fine_tuning.update(density=1.0, batch_size=8, dense_epochs=12, freeze_embeddings=True)
    workspace.config["checkpoints"] = {"every_minutes": 1.0e-6}
    made = workspace.snakemake(TEACHER)
    assert made.returncode == 0, made.stdout
    return workspace


@pytest.fixture
def untrained(cluster, whole, tmp_path) -> Iterator[OnSlurm]:
    """The same without the teacher; no job of it outlives the test."""
    folder = tmp_path / "run"
    shutil.copytree(whole.folder, folder)
    shutil.rmtree(folder / TEACHER)
    yield OnSlurm(folder, whole.config)
    cluster.resume_node()
    cluster.cancel_all()


def wait_for_checkpoint(workspace: OnSlurm, process: subprocess.Popen, step: int = 3) -> None:
    """Until the training has saved that step."""
    folder = workspace.folder / "results/teachers/.miniature_nli_en.checkpoints/dense"

    def saved() -> bool:
        assert process.poll() is None, "ended before anything could befall it"
        return max(steps(folder), default=0) >= step

    wait_until(saved, BOUND, "no checkpoint")


def new_jobs(cluster: Cluster, before: list[dict]) -> list[dict]:
    """The training's jobs since then."""
    known = {job["JobId"] for job in before}
    return [job for job in cluster.jobs_of(RULE) if job["JobId"] not in known]


def check_whole(workspace: OnSlurm, whole: Workspace, resumed: bool = True) -> None:
    """The teacher has the bytes of one that nothing befell, and went on from a checkpoint."""
    here, there = (
        {name: content for name, (_, content) in each.files().items() if name.startswith("teachers/")}
        for each in (workspace, whole)
    )
    assert here == there
    found = re.search(r"resumed after step (\d+) of 96", workspace.log_of(RULE))
    assert bool(found) == resumed, workspace.log_of(RULE)
    assert not resumed or int(found[1]) >= 3


def minutes(job: dict[str, str]) -> int:
    """A job's time limit."""
    hours, left, _ = job["TimeLimit"].split(":")
    return 60 * int(hours) + int(left)


def megabytes(job: dict[str, str]) -> float:
    """The memory that a job asked for."""
    number, unit = re.fullmatch(r"([\d.]+)([MG])", job["MinMemoryNode"]).groups()
    return float(number) * (1024 if unit == "G" else 1)


def test_cancelled_it_is_tried_again_with_more(untrained, cluster, whole):
    before = cluster.jobs()
    with untrained.running(TEACHER) as process:
        wait_for_checkpoint(untrained, process)
        run("scancel", new_jobs(cluster, before)[0]["JobId"])
        assert process.wait(BOUND) == 0
    first, second = new_jobs(cluster, before)
    assert (first["JobState"], second["JobState"]) == ("CANCELLED", "COMPLETED")
    assert minutes(second) >= 2 * minutes(first) - 1
    assert megabytes(second) == pytest.approx(2 * megabytes(first), rel=0.01)
    check_whole(untrained, whole)


def test_killed_at_its_time_limit_it_is_given_more_and_goes_on(untrained, cluster, whole):
    untrained.resources[RULE] = {"runtime": "5 * attempt"}
    before = cluster.jobs()
    with untrained.running(TEACHER) as process:
        wait_for_checkpoint(untrained, process)
        os.kill(script_of(untrained), signal.SIGSTOP)
        (job,) = new_jobs(cluster, before)
        assert minutes(job) == 5
        run("scontrol", "update", f"jobid={job['JobId']}", "timelimit=1")
        assert process.wait(BOUND) == 0
    first, second = new_jobs(cluster, before)
    assert (first["JobState"], second["JobState"]) == ("TIMEOUT", "COMPLETED")
    assert minutes(second) == 10
    check_whole(untrained, whole)


def test_killed_for_its_memory_it_is_given_more(untrained, cluster, whole):
    untrained.resources[RULE] = {"mem_mb": "300 * attempt**3"}
    before = cluster.jobs()
    with untrained.running(TEACHER) as process:
        assert process.wait(BOUND) == 0
    first, second = new_jobs(cluster, before)
    assert first["JobState"] in ("FAILED", "OUT_OF_MEMORY", "CANCELLED")
    assert second["JobState"] == "COMPLETED"
    assert (megabytes(first), megabytes(second)) == (300, 2400)
    check_whole(untrained, whole, resumed=False)


def test_requeued_from_a_drained_node_it_goes_on_when_the_node_is_back(untrained, cluster, whole):
    before = cluster.jobs()
    with untrained.running(TEACHER) as process:
        wait_for_checkpoint(untrained, process)
        cluster.set_node("drain")
        (job,) = (each["JobId"] for each in new_jobs(cluster, before))
        run("scontrol", "requeue", job)
        wait_until(lambda: new_jobs(cluster, before)[0]["JobState"] == "PENDING", BOUND, "not requeued")
        time.sleep(5)
        assert process.poll() is None
        assert new_jobs(cluster, before)[0]["JobState"] == "PENDING", "started on a drained node"
        cluster.set_node("resume")
        # Slurm lets requeued jobs rest for two minutes.
        run("scontrol", "update", f"jobid={job}", "starttime=now")
        assert process.wait(BOUND) == 0
    (only,) = new_jobs(cluster, before)
    assert (only["JobId"], only["JobState"], only["Restarts"]) == (job, "COMPLETED", "1")
    check_whole(untrained, whole)


def test_after_the_master_was_killed_the_documented_recovery_goes_on(untrained, cluster, whole):
    before = cluster.jobs()
    with untrained.running(TEACHER) as process:
        wait_for_checkpoint(untrained, process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    (orphan,) = new_jobs(cluster, before)
    assert orphan["JobState"] == "RUNNING"
    last_log = max((untrained.folder / ".snakemake/log").glob("*.log"))
    name = re.search(r"SLURM run ID: (\S+)", last_log.read_text())[1]
    assert orphan["JobName"] == name
    run("scancel", "--name", name)
    assert untrained.snakemake(unlock=True).returncode == 0
    with untrained.running(TEACHER) as process:
        assert process.wait(BOUND) == 0
    assert [job["JobState"] for job in new_jobs(cluster, before)] == ["CANCELLED", "COMPLETED"]
    check_whole(untrained, whole)


def script_of(workspace: OnSlurm) -> int:
    """Id of the process that runs the training's script in the workspace."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            here = (process / "cwd").resolve() == workspace.folder.resolve()
        except OSError:
            continue
        if here and len(arguments) > 1 and f".{RULE}.py".encode() in arguments[1]:
            return int(process.name)
    raise AssertionError("the training has no process")
