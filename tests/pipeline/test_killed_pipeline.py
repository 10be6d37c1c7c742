"""Snakemake itself, killed: the plain same command goes on, and lists exactly what is left to do."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.pipeline.conftest import Workspace, configuration, write_inputs
from tests.pipeline.processes import steps
from tests.pipeline.test_end_to_end import planned

pytestmark = pytest.mark.slow

TEACHER = "results/teachers/miniature_nli_en"
EVALUATION = "results/evaluations/xnli_en_teacher.json"


def longer_training(folder: Path) -> Workspace:
    """A workspace whose teacher takes long enough to be killed, and leaves a checkpoint at every step."""
    folder.mkdir()
    write_inputs(folder)
    workspace = Workspace(folder, configuration())
    fine_tuning = workspace.config["teacher"]["nli"]["fine_tuning"]
    fine_tuning.update(density=1.0, batch_size=8, dense_epochs=4, freeze_embeddings=True)
    workspace.config["checkpoints"] = {"every_minutes": 1.0e-6}
    return workspace


def teacher_files(workspace: Workspace) -> dict[str, bytes]:
    return {name: content for name, (_, content) in workspace.files().items() if name.startswith("teachers/")}


def test_killed_with_all_its_jobs_and_told_to_go_it_ends_with_the_same_bits(tmp_path):
    whole = longer_training(tmp_path / "whole")
    assert whole.snakemake(TEACHER, "results/benchmarks/xnli_en").returncode == 0
    workspace = Workspace(tmp_path / "killed", whole.config)
    shutil.copytree(whole.folder, workspace.folder)
    shutil.rmtree(workspace.folder / TEACHER)
    checkpoints = workspace.folder / "results/teachers/.miniature_nli_en.checkpoints/dense"
    log = workspace.folder / "logs/fine_tune_teacher/miniature_nli_en.log"
    with workspace.running(EVALUATION) as first:
        wait_for(first, checkpoints, 3)
        # Else the training may be over before the second one has read the rules.
        os.killpg(first.pid, signal.SIGSTOP)
        second = workspace.snakemake(EVALUATION)
        assert second.returncode != 0
        assert "LockException" in second.stdout or "locked" in second.stdout
        assert first.poll() is None, "the second one ended the first"
        os.killpg(first.pid, signal.SIGKILL)
    reached = max(steps(checkpoints))
    assert workspace.snakemake(unlock=True).returncode == 0
    assert planned(workspace, EVALUATION) == {"fine_tune_teacher": 1, "evaluate_model": 1}

    with workspace.running(EVALUATION) as again:
        wait_for(again, checkpoints, reached + 3)
        os.kill(job_of(again), signal.SIGTERM)
        assert again.wait() != 0
    assert int(re.search(r"resumed after step (\d+) of 32", log.read_text())[1]) == reached
    assert "stopped by SIGTERM after step" in log.read_text()
    reached = max(steps(checkpoints))

    last = workspace.snakemake(EVALUATION)
    assert last.returncode == 0, last.stdout
    assert f"resumed after step {reached} of 32" in log.read_text()
    assert teacher_files(workspace) == teacher_files(whole)
    assert not checkpoints.parent.exists()


def wait_for(process: subprocess.Popen, checkpoints: Path, step: int) -> None:
    """Until there is a checkpoint of that step."""
    while max(steps(checkpoints), default=0) < step:
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.01)


def job_of(snakemake: subprocess.Popen) -> int:
    """Id of the process that runs the one script of a Snakemake that leads its process group."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid,pgid,args"], capture_output=True, text=True, check=True).stdout
    jobs = [
        int(pid)
        for pid, group, arguments in (line.split(maxsplit=2) for line in listed.splitlines()[1:])
        if group == str(snakemake.pid) and re.match(r"\S*python\S* \S*\.snakemake/scripts/", arguments)
    ]
    assert len(jobs) == 1, listed
    return jobs[0]
