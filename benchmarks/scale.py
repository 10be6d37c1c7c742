"""How long Snakemake and the plan take to lay out large experiments, and what these would take.

    python benchmarks/scale.py                          # the paper, 44 languages x 4 tasks, 100 x 4 x 3 base models
    python benchmarks/scale.py --write FOLDER           # only write these configurations

Seconds of the clock and of the CPU, and the peak memory, of `snakemake --dry-run` and of `snakemake plan`, each in an
empty folder; on a machine that has other work the CPU's are those to go by. Nothing is downloaded and nothing trained.
"""

import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
PAPER = ("americasnli", "masakhaner", "ud", "xquad")
TASKS = {"nli": "americasnli", "ner": "masakhaner", "dp": "ud", "qa": "xquad"}
WIKIPEDIA = {"kind": "hub", "repository": "wikimedia/wikipedia", "revision": "b04c8d1ceb2f5cd4588862100d08de323dccfbaa"}
DEVICE = "A100"


def merged(values: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """As Snakemake merges one configuration file into another."""
    for key, value in other.items():
        both = isinstance(value, Mapping) and isinstance(values.get(key), dict)
        values[key] = merged(values[key], value) if both else copy.deepcopy(value)
    return values


def paper() -> dict[str, Any]:
    """The four experiments of the paper as one, without published SFTs, each of which belongs to one base model."""
    whole: dict[str, Any] = {}
    for name in PAPER:
        merged(whole, yaml.safe_load((REPOSITORY / "configs" / f"{name}.yaml").read_text()))
    del whole["language_sft"]
    for task, section in whole["teacher"].items():
        if section.pop("task_sft", None):
            section["fine_tuning"] = {
                key: value for key, value in whole["phase2"][task].items() if key != "temperature"
            }
    return whole


def generated(languages: int, bases: int) -> dict[str, Any]:
    """Languages l0, l1, ... with a corpus of a million characters each, in every task, for every base model."""
    config = paper()
    config["base_models"] = dict(list(config["base_models"].items())[:bases])
    codes = [f"l{number}" for number in range(languages)]
    corpus = {"source": {**WIKIPEDIA, "maximum_characters": 100_000_000}, "validation_fraction": 0.01}
    corpora = {code: merged({"source": {"name": f"20231101.{code}"}}, corpus) for code in codes}
    config["corpora"] = {"en": config["corpora"]["en"], **corpora}
    test = {"kind": "hub", "repository": "owner/benchmark", "name": "{language}", "split": "test", "revision": "main"}
    config["benchmarks"] = {
        f"{base}{task}": {"task": task, "base_model": base, "languages": codes, "test": {**test, "split": task}}
        for base in config["base_models"]
        for task in TASKS
    }
    return config


def measured(folder: Path, config: Path, *options: str) -> tuple[str, float]:
    """Seconds, of the clock and of the CPU, and bytes at the peak of a call of Snakemake."""
    command = [
        sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all", "--nocolor",
        "--snakefile", str(REPOSITORY / "Snakefile"), "--directory", str(folder),
        "--workflow-profile", str(REPOSITORY / "profiles" / "default"), "--configfile", str(config), *options,
    ]  # fmt: skip
    start = time.perf_counter()
    with (folder / "output.txt").open("w") as output:
        run = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(run.pid, 0)
    said = (folder / "output.txt").read_text()
    if status:
        raise SystemExit(f"{' '.join(command)} failed: {said}")
    taken = time.perf_counter() - start
    return f"{taken:.1f} s, CPU {usage.ru_utime + usage.ru_stime:.1f} s", usage.ru_maxrss * 1024


def main() -> None:
    """Write the configurations, run Snakemake on each and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, help="a folder for the configurations")
    given = parser.parse_args()
    configs = {"paper": paper(), "44x4": generated(44, 1), "100x4x3": generated(100, 3)}
    folder = given.write or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    for name, config in configs.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    if given.write:
        return
    print("| | jobs | dry run | peak memory | plan |\n|---|---|---|---|---|")
    for name in configs:
        place = Path(tempfile.mkdtemp())
        config = folder / f"{name}.yaml"
        dry_run, peak = measured(place, config, "--dry-run")
        of_plan, _ = measured(place, config, "--set-resources", f"plan:device={DEVICE}", "--", "plan")
        jobs = json.loads((place / "results" / "plan.json").read_text())["total"]["jobs"]
        print(f"| {name} | {jobs:,} | {dry_run} | {peak / 1e6:,.0f} MB | {of_plan} |", flush=True)


if __name__ == "__main__":
    main()
