import logging

import pytest

from bistil_core.errors import BistilError
from bistil_core.training.checkpoints import Checkpoints


def write(checkpoints, *steps):
    for step in steps:
        with checkpoints.writing(step) as folder:
            (folder / "weights").write_bytes(bytes([step]) * 100)


def test_the_newest_two_and_the_best_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path / "of")
    for step in range(1, 7):
        write(checkpoints, step)
        checkpoints.prune(best=2 if step >= 2 else None)
    assert checkpoints.steps() == [2, 5, 6]
    assert checkpoints.newest() == 6


def write_half(checkpoints, step, error):
    with checkpoints.writing(step) as folder:
        (folder / "weights").write_bytes(b"half")
        raise error


@pytest.mark.parametrize("harm", ["truncated", "changed", "missing", "no manifest", "manifest cut short"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path, caplog, harm):
    checkpoints = Checkpoints(tmp_path)
    write(checkpoints, 3, 20)
    weights, manifest = checkpoints.at(20) / "weights", checkpoints.at(20) / "manifest.json"
    if harm == "truncated":
        weights.write_bytes(weights.read_bytes()[:50])
    elif harm == "changed":
        weights.write_bytes(b"x" * 100)
    elif harm == "missing":
        weights.unlink()
    elif harm == "no manifest":
        manifest.unlink()
    else:
        manifest.write_text(manifest.read_text()[:20])
    assert checkpoints.newest() == 3
    assert "checkpoint-20 is damaged" in caplog.text
    assert checkpoints.steps() == [3]


def test_what_breaks_off_in_mid_writing_leaves_nothing_and_the_one_before_whole(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    write(checkpoints, 1)
    for error, expected in ((KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "no space"), BistilError)):
        with pytest.raises(expected):
            write_half(checkpoints, 2, error)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-1"]
    assert checkpoints.newest() == 1


def test_a_finished_training_keeps_its_best_checkpoint_and_its_record(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    checkpoints = Checkpoints(tmp_path).part("dense")
    assert checkpoints.finished() is None
    write(checkpoints, 1, 2)
    checkpoints.finish(1, {"steps": 2})
    assert checkpoints.finished() == (1, {"steps": 2})
    assert checkpoints.steps() == [1]
    (checkpoints.at(1) / "weights").write_bytes(b"")
    assert checkpoints.finished() is None
