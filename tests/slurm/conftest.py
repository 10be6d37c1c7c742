"""The cluster for all tests of this folder, and the pipeline on it."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.pipeline.conftest import Workspace, configuration, write_inputs
from tests.slurm.cluster import Cluster, running_cluster, why_not

TRAINING = ("distil_phase1", "fine_tune_teacher", "distil_phase2")
ONE_THREAD = dict.fromkeys((*TRAINING, "count_corpus_tokens", "trim_bilingual_vocabulary"), 1)
"""As on two cores without a cluster: the bytes of a training depend on its number of threads."""

CPU_TFLOPS = 0.02
"""Of the GPU that is none, with half a core to itself."""


@dataclass
class OnSlurm(Workspace):
    """A workspace that runs through profiles/slurm.

    Attributes:
        resources: rule -> what a test sets otherwise than the profile.
    """

    resources: dict[str, dict[str, int | str]] = field(default_factory=dict)

    def _command(self, options: list[str], targets: Sequence[str]) -> list[str]:
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))
        return [
            sys.executable, "-m", "snakemake", "--nocolor",
            "--snakefile", str(self.repository / "Snakefile"), "--directory", str(self.folder),
            "--workflow-profile", str(self._profile()), "--configfile", "config.yaml", *options, "--", *targets,
        ]  # fmt: skip

    def _profile(self) -> Path:
        """A copy of profiles/slurm in which a cluster of one machine is asked more often than a real one should be."""
        profile = yaml.safe_load((self.repository / "profiles" / "slurm" / "config.yaml").read_text())
        profile |= {
            "slurm-init-seconds-before-status-checks": 2, "seconds-between-status-checks": 2, "latency-wait": 10,
            "set-threads": ONE_THREAD,
        }  # fmt: skip
        profile["default-resources"]["tflops"] = CPU_TFLOPS
        for rule, values in self.resources.items():
            profile["set-resources"][rule] = {**profile["set-resources"].get(rule, {}), **values}
        folder = self.folder / "profile"
        folder.mkdir(exist_ok=True)
        (folder / "config.yaml").write_text(yaml.safe_dump(profile))
        return folder

    def log_of(self, rule: str) -> str:
        """The one log of a rule."""
        (log,) = (self.folder / "logs" / rule).glob("*.log")
        return log.read_text()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The running cluster; without one the test is skipped, and says why."""
    if reason := why_not():
        pytest.skip(reason)
    if find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("not installed: snakemake-executor-plugin-slurm (pip install -e '.[slurm]')")
    with tempfile.TemporaryDirectory(prefix="bistil-slurm-") as folder, running_cluster(Path(folder), 4) as cluster:
        yield cluster


@pytest.fixture
def workspace(cluster, tmp_path) -> Iterator[OnSlurm]:
    """A fresh folder with inputs and the tiny configuration; no job of it outlives the test."""
    write_inputs(tmp_path)
    yield OnSlurm(tmp_path, configuration())
    cluster.cancel_all()
