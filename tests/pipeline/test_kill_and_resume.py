"""Training steps that are killed at random moments end with the bits of those that never were."""

import random
import re
import signal
import time

import pytest

from tests.pipeline.processes import contents, started, steps

KILLS = 6
PARTS = {
    "phase1": ("phase1", "student", ""),
    "teacher": ("teacher", "teacher", "dense"),
    "teacher of two languages": ("multi_source_teacher", "multi_source_teacher", "sparse"),
    "dense part of phase 2": ("phase2", "sft.safetensors", "dense"),
    "sparse part of phase 2": ("phase2", "sft.safetensors", "sparse"),
    "sparse part of a language SFT": ("language_sft", "sw.safetensors", "sparse"),
}


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_killed_at_random_moments_it_ends_with_the_same_bits(uninterrupted, tmp_path, part):
    name, output, phase = PARTS[part]
    checkpoints = tmp_path / f".{output}.checkpoints" / phase
    log = tmp_path / "step.log"
    moments = random.Random(part)
    reached = 0
    for kill in range(KILLS):
        process = started(name, uninterrupted, tmp_path, log)
        # Every step leaves a checkpoint: by their number a fast machine is killed as far from the end as a slow one.
        wanted = reached + moments.randint(1, 5)
        while process.is_alive() and max(steps(checkpoints), default=0) < wanted:
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.03))
        assert process.is_alive(), f"ended before it was killed: {log.read_text()}"
        how = (signal.SIGKILL, signal.SIGTERM)[kill % 2]
        process.kill() if how == signal.SIGKILL else process.terminate()
        process.join()
        assert process.exitcode == (-signal.SIGKILL if how == signal.SIGKILL else 128 + signal.SIGTERM)
        assert not (tmp_path / output).exists()
        text = log.read_text()
        if how == signal.SIGTERM:
            saved = int(re.search(r"stopped by SIGTERM after step (\d+) of \d+, which is saved", text)[1])
            assert saved == max(steps(checkpoints))
        if kill:
            assert int(re.search(r"resumed after step (\d+) of", text)[1]) == reached
            assert phase != "sparse" or "dense part: finished before" in text
        reached = max(steps(checkpoints))
    process = started(name, uninterrupted, tmp_path, log)
    process.join()
    assert process.exitcode == 0, log.read_text()
    assert f"resumed after step {reached} of" in log.read_text()
    log.unlink()
    assert contents(tmp_path) == contents(uninterrupted / "whole" / name)
