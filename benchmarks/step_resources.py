"""What each step of a run takes, beside what it would ask a cluster for: `python benchmarks/step_resources.py FOLDER`.

Runs `results/xnli_sw.json` in the folder, with `--configfile` where one is given; finished steps are not run again.
"""

import argparse
import re
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import psutil

from bistil_core.planning import resources
from bistil_core.planning.inputs import parquet_size, rows_in
from bistil_core.planning.shapes import ModelShape
from bistil_core.settings.loading import load_configuration

REPOSITORY = Path(__file__).parents[1]
TARGET = "results/xnli_sw.json"


def asked(folder: Path, config: Path) -> dict[str, float]:
    """Rule -> bytes of the model in bistil_core/planning/resources.py, for the steps that train."""
    import yaml

    settings = load_configuration(yaml.safe_load(config.read_text()))
    results = folder / "results"
    base = ModelShape.of(next((results / "base_models").iterdir()))
    student = ModelShape.of(next((results / "students").iterdir()))
    (task,) = (each for each in (results / "tasks").iterdir() if each.name.startswith("nli"))
    labelled = {
        "examples": rows_in(task, "train.parquet"),
        "validation": rows_in(task, "validation.parquet"),
        "data": parquet_size(task),
        "tokens": settings.teacher["nli"].fine_tuning.max_length,
    }
    text = parquet_size(results / "corpora" / "en", results / "corpora" / "sw")
    teacher, phase2 = settings.teacher["nli"].fine_tuning, settings.phase2["nli"]
    return {
        "distil_phase1": resources.phase1_need(base, settings.phase1, text).bytes,
        "fine_tune_teacher": resources.fine_tuning_need(base, teacher, **labelled).bytes,
        "distil_phase2": resources.fine_tuning_need(student, phase2, **labelled, teacher=base).bytes,
    }


def main() -> None:
    """Watch the processes of a run and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--configfile", type=Path, default=REPOSITORY / "config.yaml")
    parser.add_argument("--cores", default="2")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    run = subprocess.Popen(
        [
            sys.executable, "-m", "snakemake", "--cores", given.cores, "--snakefile", str(REPOSITORY / "Snakefile"),
            "--workflow-profile", str(REPOSITORY / "profiles" / "default"), "--directory", str(given.folder),
            "--configfile", str(given.configfile.resolve()), "--", TARGET,
        ]
    )  # fmt: skip
    peak: dict[str, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    watched = psutil.Process(run.pid)
    while run.poll() is None:
        for process in watched.children(recursive=True):
            try:
                script = re.search(r"\.snakemake/scripts/\w+\.(\w+)\.py", " ".join(process.cmdline()))
                if script:
                    peak[script[1]] = max(peak[script[1]], process.memory_info().rss)
                    seconds[script[1]] = max(seconds[script[1]], time.time() - process.create_time())
            except psutil.Error:
                continue
        time.sleep(0.1)
    assert run.returncode == 0
    model = asked(given.folder, given.configfile)
    print("| step | seconds | peak, MB | asked for, MB |\n|---|---|---|---|")
    for rule, most in peak.items():
        wanted = f"{model.get(rule, resources.PROCESS) / 1e6:,.0f}" + ("" if rule in model else " or more")
        print(f"| {rule} | {seconds[rule]:.0f} | {most / 1e6:,.0f} | {wanted} |")


if __name__ == "__main__":
    main()
