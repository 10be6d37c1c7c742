"""Checkpoints of one training: written whole or not at all, checked before they are trusted, the newest two kept."""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from bistil_core.errors import BistilError
from bistil_core.files import read_json, sha256_of, write_json

LOGGER = logging.getLogger("bistil")
MANIFEST = "manifest.json"
FINISHED = "finished.json"
KEPT = 2
"""Checkpoints that are kept beside the best: the second is there should the first be damaged."""


@dataclass(frozen=True)
class Checkpoints:
    """A folder of checkpoints, `checkpoint-<step>` each.

    Attributes:
        folder: where they lie; made when it is first needed.
        every_minutes: the time between two of them, beside those of the best validations.
    """

    folder: Path
    every_minutes: float = 10.0

    def part(self, name: str) -> "Checkpoints":
        """The checkpoints of one of several trainings that follow each other in a step."""
        return Checkpoints(self.folder / name, self.every_minutes)

    def at(self, step: int) -> Path:
        """Folder of the checkpoint of an optimiser step, whether or not it is there."""
        return self.folder / f"checkpoint-{step}"

    @contextmanager
    def writing(self, step: int) -> Iterator[Path]:
        """Yield a temporary folder that becomes the checkpoint of `step` once all of it is on the disk.

        Raises:
            BistilError: it cannot be written, such as on a full disk; the checkpoints before it stay whole.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f".checkpoint-{step}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.mkdir()
            yield partial
            files = {file.name: _described(file) for file in sorted(partial.iterdir())}
            write_json(partial / MANIFEST, files)
            for path in (*(partial / name for name in files), partial / MANIFEST, partial):
                _to_disk(path)
            shutil.rmtree(self.at(step), ignore_errors=True)
            partial.rename(self.at(step))
            _to_disk(self.folder)
        # torch.save reports a full disk as a RuntimeError, safetensors as an error of its own.
        except (OSError, RuntimeError, SafetensorError) as error:
            free = shutil.disk_usage(self.folder).free
            shutil.rmtree(partial, ignore_errors=True)
            raise BistilError(
                f"the checkpoint of step {step} cannot be written to {self.folder} ({error}; {free:,} bytes were "
                "free): make room there. The checkpoint before it is whole; the same command goes on from it"
            ) from error
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise

    def steps(self) -> list[int]:
        """The steps that have a checkpoint, ascending."""
        return sorted(int(path.name.rpartition("-")[2]) for path in self.folder.glob("checkpoint-*"))

    def newest(self) -> int | None:
        """The step of the newest checkpoint that is whole; damaged ones before it are removed."""
        for step in reversed(self.steps()):
            if self.is_whole(step):
                return step
            LOGGER.warning("the checkpoint %s is damaged: the one before it is taken", self.at(step))
            shutil.rmtree(self.at(step))
        return None

    def is_whole(self, step: int) -> bool:
        """Whether a checkpoint has all of its files, of the sizes and checksums that they were written with."""
        folder = self.at(step)
        try:
            return all(_described(folder / name) == wanted for name, wanted in read_json(folder / MANIFEST).items())
        except (OSError, ValueError, AttributeError):
            return False

    def prune(self, best: int | None) -> None:
        """Keep the newest two and the best."""
        for step in self.steps()[:-KEPT]:
            if step != best:
                shutil.rmtree(self.at(step))

    def finish(self, best: int, record: dict[str, Any]) -> None:
        """Remember that the training has ended: its record, and of the checkpoints the best alone."""
        write_json(self.folder / FINISHED, {"best": best, "record": record})
        _to_disk(self.folder / FINISHED)
        for step in self.steps():
            if step != best:
                shutil.rmtree(self.at(step))

    def finished(self) -> tuple[int, dict[str, Any]] | None:
        """The best step and the record of a training that has ended, if its best checkpoint is whole."""
        try:
            found = read_json(self.folder / FINISHED)
            best, record = found["best"], found["record"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (best, record) if self.is_whole(best) else None

    def size(self) -> int:
        """Bytes of all that lies in the folder."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file())

    def remove(self) -> None:
        """Delete the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _described(file: Path) -> dict[str, Any]:
    return {"bytes": file.stat().st_size, "sha256": sha256_of(file)}


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
