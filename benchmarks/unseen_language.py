"""A language that the multilingual model never saw: what a language SFT gives teacher and student, over several seeds.

    python benchmarks/unseen_language.py --seeds 1 2 3

Each seed is a run of configs/unseen.yaml in a folder of its own below runs/; without the SFT a copy of that folder in
which only what that makes stale runs again. The table is Markdown.
"""

import argparse
import json
import shutil
from pathlib import Path

import pandas as pd
import yaml
from pipeline_runs import REPOSITORY, run_experiment

RESULT = "results/xnli_id.json"


def result_of(folder: Path, experiment: dict) -> dict:
    """The result that the pipeline makes in `folder`."""
    run_experiment(folder, [RESULT], experiment)
    return json.loads((folder / RESULT).read_text())


def figures(adapted: dict, bare: dict) -> dict[str, float]:
    """One row of the table."""
    teacher, student = adapted["scores"]["teacher"], adapted["scores"]["student"]
    return {
        "teacher en": teacher["en"],
        "teacher id without": bare["scores"]["teacher"]["id"],
        "teacher id": teacher["id"],
        "gain": teacher["id"] - bare["scores"]["teacher"]["id"],
        "student id without": bare["scores"]["student"]["id"],
        "student id": student["id"],
        "retention": adapted["retention"]["id"],
    }


def main() -> None:
    """Run every seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--runs", type=Path, default=REPOSITORY / "runs", help="where the runs lie, finished or not")
    arguments = parser.parse_args()
    experiment = yaml.safe_load((REPOSITORY / "configs" / "unseen.yaml").read_text())
    rows = {}
    for seed in arguments.seeds:
        folder, copy = arguments.runs / f"unseen{seed}", arguments.runs / f"unseen{seed}-without-sft"
        adapted = result_of(folder, {**experiment, "seed": seed})
        if not copy.exists():
            shutil.copytree(folder, copy, symlinks=True)
        rows[f"seed {seed}"] = figures(adapted, result_of(copy, {**experiment, "seed": seed, "language_sft": {}}))
    table = pd.DataFrame(rows).T
    summary = pd.DataFrame({"mean": table.mean(), "min": table.min(), "max": table.max()}).T
    whole = pd.concat([summary, table]).map("{:.3f}".format)
    print(f"| | {' | '.join(whole.columns)} |\n|---|{'---|' * len(whole.columns)}")
    for name, row in whole.iterrows():
        print(f"| {name} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
