"""Running the real Snakemake on the real Snakefile, in a folder of the test's own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipeline.processes import started
from tests.pipeline.tiny_steps import STEPS, write_tiny_inputs

REPOSITORY = Path(__file__).parents[2]

NLI_ROWS = [
    ("the cook bought three apples", "the cook bought fruit", "entailment"),
    ("the cook bought three apples", "the cook slept", "neutral"),
    ("the cook bought three apples", "the cook bought no apples", "contradiction"),
]


@dataclass
class Workspace:
    """A folder with a configuration, in which the pipeline runs."""

    folder: Path
    config: dict
    repository: Path = REPOSITORY

    def snakemake(self, *targets: str, **switches: bool) -> subprocess.CompletedProcess:
        """Run it on this workspace's configuration; the output is standard output and error together.

        `switches` are options without a value: dry_run=True is --dry-run.
        """
        options = [f"--{name.replace('_', '-')}" for name, on in switches.items() if on]
        return subprocess.run(
            self._command(options, targets), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False, timeout=3600, **self._place(),
        )  # fmt: skip

    @contextmanager
    def running(self, *targets: str) -> Iterator[subprocess.Popen]:
        """The same in the background, as the leader of a process group that is killed at the end of the block."""
        process = subprocess.Popen(
            self._command([], targets), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, **self._place(),
        )  # fmt: skip
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _command(self, options: list[str], targets: Sequence[str]) -> list[str]:
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))
        return [
            sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor",
            "--snakefile", str(self.repository / "Snakefile"), "--directory", str(self.folder),
            "--workflow-profile", str(self.repository / "profiles" / "default"),
            "--configfile", "config.yaml", *options, "--", *targets,
        ]  # fmt: skip

    def _place(self) -> dict[str, Any]:
        return {"cwd": self.folder, "env": {**os.environ, "PYTHONPATH": str(self.repository)}}

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Modification time and content of every file below results/."""
        root = self.folder / "results"
        return {
            str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }


def write_inputs(folder: Path) -> None:
    """Text of two languages and labelled pairs, as a user might have them."""
    words = {
        "en": ["the", "cook", "bought", "three", "red", "apples", "at", "the", "market", "today"],
        "sw": ["mpishi", "alinunua", "maembe"],
    }
    for language, vocabulary in words.items():
        lines = [
            " ".join(vocabulary[(row * 7 + place * place + row // 3) % len(vocabulary)] for place in range(4 + row % 5))
            + f" {row}"
            for row in range(120)
        ]
        (folder / f"{language}.txt").write_text("\n".join(lines) + "\n")
        rows = [
            f"{premise} {number}\t{hypothesis}\t{label}"
            for number in range(20)
            for premise, hypothesis, label in NLI_ROWS
        ]
        (folder / f"nli-{language}.tsv").write_text("premise\thypothesis\tlabel\n" + "\n".join(rows) + "\n")


def configuration() -> dict:
    """Everything on local files but the base model, with a few steps of everything."""
    fine_tuning = {
        "density": 0.1, "dense_epochs": 1, "sparse_epochs": 1, "batch_size": 16, "learning_rate": 1.0e-3,
        "max_length": 48,
    }  # fmt: skip
    examples = {"kind": "files", "path": "nli-{language}.tsv"}
    return {
        "experiment": {"name": "test", "synthetic": True},
        "source_language": "en",
        "seed": 1,
        "base_models": {"miniature": {"source": {"kind": "miniature"}}},
        "corpora": {
            language: {"source": {"kind": "files", "paths": [f"{language}.txt"]}, "validation_fraction": 0.2}
            for language in ("en", "sw")
        },
        "trim": {"threshold": 1.0e-6},
        "phase1": {
            "layer_reduction_factor": 2, "steps": 3, "batch_size": 2, "block_length": 16, "learning_rate": 1.0e-3,
            "evaluate_every": 2, "validation_blocks": 4,
        },
        "teacher": {"nli": {"train": examples, "validation": examples, "fine_tuning": fine_tuning}},
        "phase2": {"nli": {**fine_tuning, "temperature": 2.0}},
        "benchmarks": {
            "xnli": {"task": "nli", "base_model": "miniature", "languages": ["sw"], "test": examples}
        },
        "evaluate": {"batch_size": 16, "bootstrap_samples": 20, "speed_repeats": 2, "speed_length": 16},
    }  # fmt: skip


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """A fresh folder with inputs and a configuration."""
    write_inputs(tmp_path)
    return Workspace(tmp_path, configuration())


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory) -> Path:
    """A folder with tiny inputs, and in `whole` what each training step makes of them when it is left alone."""
    folder = tmp_path_factory.mktemp("inputs")
    write_tiny_inputs(folder)
    for name in STEPS:
        process = started(name, folder, folder / "whole" / name, folder / f"{name}.log")
        process.join()
        assert process.exitcode == 0, (folder / f"{name}.log").read_text()
        for made in (folder / "whole" / name).iterdir():
            (folder / made.name).symlink_to(made)
    return folder
