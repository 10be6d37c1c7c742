"""Which checkpoints a step may go on from: those of the same inputs, settings, code and libraries."""

import hashlib
import importlib.metadata
import logging
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError, safe_open

from bistil_core.errors import BistilError
from bistil_core.files import read_json, sha256_of, write_json
from bistil_core.processes import is_first, wait_for_all
from bistil_core.settings.canonical import canonical
from bistil_core.settings.checkpoints import CheckpointSettings
from bistil_core.settings.optimisation import Optimisation
from bistil_core.staleness import code_digest
from bistil_core.training.checkpoints import Checkpoints

LOGGER = logging.getLogger("bistil")
LIBRARIES = ("torch", "transformers", "accelerate", "tokenizers", "numpy", "safetensors")
FINGERPRINT = "fingerprint.json"


def checkpoints_of(
    output: Path,
    inputs: dict[str, Path],
    settings: Optimisation,
    seed: int,
    code: list[str],
    interval: CheckpointSettings,
) -> Checkpoints:
    """The checkpoints of the step that writes `output`; the step removes them when it has.

    They lie beside the output, not in it: Snakemake deletes the outputs of a step that failed. Those that another
    configuration left behind are removed.

    Args:
        inputs: what the step reads, files or folders, by name.
        code: modules whose code decides what the step writes, as `staleness.code_digest` takes them.

    Raises:
        BistilError: an input is damaged, or the folder of `output` cannot be written to.
    """
    checkpoints = Checkpoints(output.with_name(f".{output.name}.checkpoints"), interval.every_minutes)
    if is_first():
        _prepare(checkpoints, output, inputs, settings, seed, code)
    wait_for_all()
    return checkpoints


def _prepare(
    checkpoints: Checkpoints, output: Path, inputs: dict[str, Path], settings: Optimisation, seed: int, code: list[str]
) -> None:
    for path in inputs.values():
        _check_whole(path)
    fingerprint = {
        "inputs": {name: _digest(path) for name, path in inputs.items()},
        "settings": canonical(settings),
        "seed": seed,
        "code": code_digest(*code),
        "versions": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }
    if checkpoints.folder.exists() and (changed := _differences(checkpoints.folder / FINGERPRINT, fingerprint)):
        LOGGER.warning("%s: removed, since other now: %s", checkpoints.folder, ", ".join(changed))
        checkpoints.remove()
    try:
        checkpoints.folder.mkdir(parents=True, exist_ok=True)
        write_json(checkpoints.folder / FINGERPRINT, fingerprint)
    except OSError as error:
        raise BistilError(
            f"{output.parent} cannot be written to ({error.strerror}): the step's output and its checkpoints belong "
            "there; change its permissions, make room, or run in another folder (snakemake --directory)"
        ) from error


def _check_whole(path: Path) -> None:
    """Open each table and each file of weights: what was cut short is found before hours are spent."""
    for file in _files(path):
        try:
            if file.suffix == ".parquet":
                pq.read_metadata(file)
            elif file.suffix == ".safetensors":
                with safe_open(file, framework="np"):
                    pass
        except (pa.ArrowException, OSError, SafetensorError) as error:
            raise BistilError(
                f"{file} is damaged ({error}): delete {path}, and the same command makes it anew"
            ) from error


def _files(path: Path) -> list[Path]:
    return [file for file in (sorted(path.rglob("*")) if path.is_dir() else [path]) if file.is_file()]


def _digest(path: Path) -> str:
    """SHA-256 over the names and contents of a file, or of all files of a folder."""
    digest = hashlib.sha256()
    for file in _files(path):
        digest.update(f"{file.relative_to(path)} {sha256_of(file)}\n".encode())
    return digest.hexdigest()


def _differences(file: Path, wanted: dict[str, Any]) -> list[str]:
    """Names of what differs from the fingerprint in `file`, such as settings.learning_rate."""
    try:
        found = _leaves(read_json(file))
    except (OSError, ValueError, AttributeError):
        return ["the fingerprint, which cannot be read"]
    leaves = _leaves(wanted)
    return sorted(name for name in found.keys() | leaves.keys() if found.get(name) != leaves.get(name))


def _leaves(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for name, value in tree.items():
        leaves |= _leaves(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return leaves
