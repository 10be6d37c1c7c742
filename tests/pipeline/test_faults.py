"""What goes wrong with files and disks ends a training step with a clear message, and the next run recovers."""

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.pipeline.processes import contents, started, steps

pytestmark = pytest.mark.slow


def refused(folder: Path, output: Path) -> str:
    """What the teacher's step says when it fails, as a user reads it."""
    log = folder / "refused.log"
    process = started("teacher", folder, output, log)
    process.join()
    text = log.read_text()
    log.unlink()
    assert process.exitcode == 1, text
    assert "Traceback" not in text
    assert not (output / "teacher").exists()
    return text


def succeeds(folder: Path, output: Path, whole: Path) -> str:
    """The teacher's step must end well and write what it always writes; what it says."""
    log = folder / "succeeds.log"
    process = started("teacher", folder, output, log)
    process.join()
    assert process.exitcode == 0, log.read_text()
    assert contents(output) == contents(whole / "teacher")
    return log.read_text()


def killed(folder: Path, output: Path, after: int) -> None:
    """Kill the teacher's step once it has a checkpoint of that many steps."""
    checkpoints = output / ".teacher.checkpoints" / "dense"
    process = started("teacher", folder, output, folder / "killed.log")
    while process.is_alive() and max(steps(checkpoints), default=0) < after:
        time.sleep(0.002)
    process.kill()
    process.join()
    assert steps(checkpoints)


@pytest.fixture
def inputs(uninterrupted, tmp_path) -> Path:
    """A copy of the inputs, to do harm to."""
    for name in ("base", "pairs"):
        shutil.copytree(uninterrupted / name, tmp_path / "inputs" / name)
    return tmp_path / "inputs"


@pytest.mark.parametrize("damaged", ["pairs/train.parquet", "base/model.safetensors"])
def test_an_input_that_was_cut_short(inputs, uninterrupted, tmp_path, damaged):
    file = inputs / damaged
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    text = refused(inputs, tmp_path / "out")
    assert f"{file} is damaged" in text
    assert f"delete {file.parent}, and the same command makes it anew" in text
    file.write_bytes(content)
    succeeds(inputs, tmp_path / "out", uninterrupted / "whole")


def test_a_checkpoint_that_was_cut_short(inputs, uninterrupted, tmp_path):
    output = tmp_path / "out"
    killed(inputs, output, after=10)
    checkpoints = output / ".teacher.checkpoints" / "dense"
    before, newest = sorted(steps(checkpoints))[-2:]
    os.truncate(checkpoints / f"checkpoint-{newest}" / "model.safetensors", 1000)
    text = succeeds(inputs, output, uninterrupted / "whole")
    assert f"checkpoint-{newest} is damaged: the one before it is taken" in text
    assert f"resumed after step {before} of" in text


def test_checkpoints_of_another_configuration(inputs, uninterrupted, tmp_path):
    output = tmp_path / "out"
    killed(inputs, output, after=5)
    fingerprint = output / ".teacher.checkpoints" / "fingerprint.json"
    fingerprint.write_text(fingerprint.read_text().replace('"batch_size": 8', '"batch_size": 4'))
    text = succeeds(inputs, output, uninterrupted / "whole")
    assert "removed, since other now: settings.batch_size" in text
    assert "resumed" not in text


def test_a_disk_that_is_too_small_is_refused_before_the_training(inputs, uninterrupted, tmp_path):
    with disk(tmp_path / "out", "300k") as output:
        text = refused(inputs, output)
        assert "its checkpoints and output take about" in text
        assert f"MB in {output / '.teacher.checkpoints' / 'dense'}, where" in text


def test_a_disk_that_is_full_in_mid_training(inputs, uninterrupted, tmp_path):
    with disk(tmp_path / "out", "4m") as output:
        checkpoints = output / ".teacher.checkpoints" / "dense"
        log = tmp_path / "full.log"
        process = started("teacher", inputs, output, log)
        while process.is_alive() and not steps(checkpoints):
            time.sleep(0.002)
        while process.is_alive():
            fill(output / "filler")
        process.join()
        assert process.exitcode == 1, log.read_text()
        assert "The checkpoint before it is whole; the same command goes on from it" in log.read_text()
        assert "Traceback" not in log.read_text()
        kept = max(steps(checkpoints))
        (output / "filler").unlink()
        assert f"resumed after step {kept} of" in succeeds(inputs, output, uninterrupted / "whole")


def test_a_folder_that_cannot_be_written_to(inputs, uninterrupted, tmp_path):
    output = tmp_path / "out"
    with read_only(output):
        assert f"{output} cannot be written to" in refused(inputs, output)
    succeeds(inputs, output, uninterrupted / "whole")


@contextmanager
def disk(folder: Path, size: str):
    """A file system of that size, mounted at `folder`."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def read_only(folder: Path):
    """An empty folder in which nothing can be made, not even by root."""
    folder.mkdir()
    folder.chmod(0o555)
    if os.geteuid() == 0 and subprocess.run(["chattr", "+i", str(folder)], check=False).returncode:
        pytest.skip("root writes everywhere, and this file system has no immutable folders")
    try:
        yield
    finally:
        if os.geteuid() == 0:
            subprocess.run(["chattr", "-i", str(folder)], check=True)
        folder.chmod(0o755)


def fill(file: Path) -> None:
    """Write to a file until the disk is full."""
    try:
        with file.open("ab", buffering=0) as stream:
            while True:
                stream.write(bytes(4096))
    except OSError:
        time.sleep(0.001)
