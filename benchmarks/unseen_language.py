"""A language that the model never saw: what a language SFT gives the teacher, and what of it the student keeps.

    python benchmarks/unseen_language.py --seeds 1 2 3

Each seed is a run of configs/unseen.yaml in a folder of its own below runs/; in a copy of that folder the teacher is
scored without the SFT. The table is Markdown.
"""

import argparse
import json
import shutil
from pathlib import Path

import yaml
from pipeline_runs import REPOSITORY, print_table, run_experiment

RESULT = "results/xnli_id.json"
TEACHER = "results/evaluations/xnli_id_teacher.json"


def made(folder: Path, target: str, experiment: dict) -> dict:
    """What the pipeline writes in `folder`."""
    run_experiment(folder, [target], experiment)
    return json.loads((folder / target).read_text())


def figures(result: dict, bare: dict) -> dict[str, float]:
    """One row of the table."""
    scores = result["scores"]
    return {
        "teacher en": scores["teacher"]["en"],
        "teacher id without": bare["score"],
        "teacher id": scores["teacher"]["id"],
        "gain": scores["teacher"]["id"] - bare["score"],
        "student en": scores["student"]["en"],
        "student id": scores["student"]["id"],
        "retention": result["retention"]["id"],
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
        result = made(folder, RESULT, {**experiment, "seed": seed})
        if not copy.exists():
            shutil.copytree(folder, copy, symlinks=True)
        bare = made(copy, TEACHER, {**experiment, "seed": seed, "language_sft": {}})
        rows[f"seed {seed}"] = figures(result, bare)
    print_table(rows)


if __name__ == "__main__":
    main()
