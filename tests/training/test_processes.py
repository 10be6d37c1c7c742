"""Two processes on the CPU learn what one learns, are told to go as one is, and fail as one does."""

import json
import re
import shutil
import time

import pyarrow.parquet as pq
import pytest
import torch

from bistil_core.models.sparse import SparseFineTuning
from bistil_core.settings.checkpoints import CheckpointSettings
from bistil_core.threads import gpus_asked_for
from tests.pipeline.processes import contents, started, steps
from tests.pipeline.tiny_steps import phase1, phase2, teacher, write_tiny_inputs

SELDOM = CheckpointSettings(every_minutes=60)
# A process draws dropout of its own, which one alone cannot draw. 160 examples in batches of 3: the last has one row.
STEPS = {
    "phase1": ("student/training.json", {}),
    "teacher": ("teacher/training.json", {"dropout": 0.0, "density": 0.2, "dense_epochs": 1, "sparse_epochs": 1}),
    "multi_source_teacher": (
        "multi_source_teacher/training.json",
        {"dropout": 0.0, "dense_epochs": 0.5, "sparse_epochs": 0.5},
    ),
    "phase2": ("training.json", {"dense_epochs": 1, "sparse_epochs": 1, "batch_size": 3}),
    "language_sft": ("sw.training.json", {"dropout": 0.0, "regularisation": 0.5}),
}
SFTS = {
    "teacher": "teacher/sft.safetensors",
    "multi_source_teacher": "multi_source_teacher/sft.safetensors",
    "phase2": "sft.safetensors",
    "language_sft": "sw.safetensors",
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Tiny inputs, with a student and a teacher for phase 2."""
    folder = tmp_path_factory.mktemp("inputs")
    write_tiny_inputs(folder)
    phase1(folder, folder, SELDOM, steps=10, evaluate_every=10)
    teacher(folder, folder, SELDOM, dense_epochs=1)
    return folder


def run(name, folder, output, **options):
    """A step in a process of its own that must end well; its log."""
    output.mkdir(exist_ok=True)
    log = output.with_suffix(".log")
    process = started(name, folder, output, log, **options)
    process.join(timeout=300)
    assert process.exitcode == 0, log.read_text()
    return log.read_text()


def numbers(value):
    """All numbers of a record, in order."""
    if isinstance(value, dict | list):
        return [number for each in (value.values() if isinstance(value, dict) else value) for number in numbers(each)]
    return [value] if isinstance(value, int | float) else []


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_two_processes_learn_what_one_learns(inputs, tmp_path, name):
    record, overrides = STEPS[name]
    options = {"interval": SELDOM, **overrides}
    run(name, inputs, tmp_path / "one", **options)
    log = run(name, inputs, tmp_path / "two", processes=2, **options)
    assert len(re.findall(r"kept the checkpoint", log)) == (1 if name == "phase1" else 2)
    one, two = (json.loads((tmp_path / each / record).read_text()) for each in ("one", "two"))
    assert len(numbers(one)) > 40
    assert numbers(two) == pytest.approx(numbers(one), abs=1e-4)
    if name in SFTS:
        one, two = (SparseFineTuning.load(tmp_path / each / SFTS[name]).differences for each in ("one", "two"))
        assert one.keys() == two.keys()
        assert all(torch.equal(one[parameter][0], two[parameter][0]) for parameter in one)
    assert contents(tmp_path / "one").keys() == contents(tmp_path / "two").keys()


@pytest.mark.slow
def test_told_to_go_two_processes_save_and_go_on_to_the_same_bits(inputs, tmp_path):
    options = {"processes": 2, "density": 0.2}
    run("teacher", inputs, tmp_path / "whole", **options)
    (tmp_path / "broken").mkdir()
    log = tmp_path / "broken.log"
    process = started("teacher", inputs, tmp_path / "broken", log, **options)
    checkpoints = tmp_path / "broken" / ".teacher.checkpoints" / "sparse"
    while process.is_alive() and max(steps(checkpoints), default=0) < 5:
        time.sleep(0.01)
    process.terminate()
    process.join(timeout=60)
    assert process.exitcode == 143, log.read_text()
    assert "stopped by SIGTERM after step" in log.read_text()
    assert "resumed after step" in run("teacher", inputs, tmp_path / "broken", **options)
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")


@pytest.mark.slow
def test_an_error_in_the_processes_is_the_step_s_own(inputs, tmp_path):
    folder = shutil.copytree(inputs, tmp_path / "inputs", symlinks=True)
    few = pq.read_table(folder / "corpora/sw/train.parquet").slice(0, 1)
    pq.write_table(few, folder / "corpora/sw/train.parquet")
    process = started("phase1", folder, tmp_path, tmp_path / "step.log", processes=2, block_length=64)
    process.join(timeout=60)
    text = (tmp_path / "step.log").read_text()
    assert process.exitcode == 1
    assert len(re.findall(r"^.* error: .*corpora/sw/train.parquet", text, re.MULTILINE)) == 1, text


@pytest.mark.parametrize(
    ("resources", "expected"), [({"gpu": 4, "mem_mb": 1}, 4), ({"gres": "gpu:a100:2"}, 2), ({}, 1), ({"gpu": 0}, 1)]
)
def test_processes_are_as_many_as_the_gpus_of_a_step(resources, expected):
    assert gpus_asked_for(**resources) == expected


def test_phase_2_alone_needs_no_process_group(inputs, tmp_path):
    phase2(inputs, tmp_path, SELDOM, dense_epochs=0.1, sparse_epochs=0.1)
    assert not torch.distributed.is_initialized()
