"""Training steps in processes of their own, which tests may kill."""

import multiprocessing
from pathlib import Path

from tests.pipeline.tiny_steps import run_step

# Python, torch and the package are loaded once: each killed process is a fork of a server that has done nothing else.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.pipeline.tiny_steps"])


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, hidden ones too."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def started(name: str, folder: Path, output: Path, log: Path, **options) -> multiprocessing.Process:
    """The step in a process of its own; `options` are those of the steps in tiny_steps."""
    process = PROCESSES.Process(target=run_step, args=(name, str(folder), str(output), str(log), options))
    process.start()
    return process


def steps(checkpoints: Path) -> list[int]:
    """Steps whose checkpoints lie in a folder."""
    return [int(path.name.rpartition("-")[2]) for path in checkpoints.glob("checkpoint-*")]
