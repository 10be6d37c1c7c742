"""What rules/resources.smk asks a cluster for: more time than is predicted, and memory for every process."""

import json
import shutil
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bistil_core.planning.devices import DEVICES
from bistil_core.planning.resources import fine_tuning_need
from bistil_core.planning.shapes import ModelShape
from bistil_core.planning.sizes import MINIATURE
from bistil_core.settings.optimisation import SparseOptimisation
from tests.pipeline.conftest import Workspace
from tests.pipeline.experiments import copy_of_repository

TELLING = """
import json
from pathlib import Path

folder = Path(snakemake.output[0])
folder.mkdir(parents=True)
(folder / "asked.json").write_text(json.dumps([snakemake.resources.mem_mb, snakemake.resources.runtime]))
"""


@pytest.fixture
def telling(workspace, tmp_path):
    """A workspace in which the step that fine-tunes the teacher writes down what was asked for, and does no more."""
    workspace.repository = copy_of_repository(tmp_path / "repository")
    (workspace.repository / "workflow_scripts/fine_tune_teacher.py").write_text(TELLING)
    return workspace


def asked_for(workspace: Workspace, *options: str) -> list[int]:
    """The step's megabytes and minutes."""
    teacher = "results/teachers/miniature_nli_en"
    command = workspace._command(["--forcerun", "fine_tune_teacher", *options], [teacher])
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, **workspace._place())
    assert run.returncode == 0, run.stdout.decode()
    return json.loads((workspace.folder / teacher / "asked.json").read_text())


def test_a_training_asks_for_more_time_than_predicted_and_for_memory_for_each_process(telling):
    fine_tuning = telling.config["teacher"]["nli"]["fine_tuning"]
    fine_tuning["dense_epochs"] = 10_000
    base, data = (telling.folder / "results" / name for name in ("base_models/miniature", "tasks/nli_en"))
    shutil.copytree(MINIATURE, base)
    data.mkdir(parents=True)
    for part in ("train", "validation"):
        pq.write_table(pa.table({"row": range(60)}), data / f"{part}.parquet")
    need = fine_tuning_need(
        ModelShape.of(base), SparseOptimisation(**fine_tuning), examples=60, validation=60, data=0.0, tokens=20
    )
    predicted = need.seconds(DEVICES["cpu"], 1) / 60
    assert predicted > 10
    megabytes, minutes = asked_for(telling)
    assert 2 * predicted < minutes < 20 * predicted
    assert megabytes > need.bytes / 1e6
    for given in ("gpu=4", "gres=gpu:a100:4"):
        four, same = asked_for(telling, "--resources", "gpu=4", "--set-resources", f"fine_tune_teacher:{given}")
        assert four == pytest.approx(4 * megabytes, abs=4)
        assert same == minutes
