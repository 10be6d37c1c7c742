"""The miniature's figures as means of several seeds, with and without phase 1.

    python benchmarks/miniature_seeds.py --seeds 1 2 3

Each seed is a run of the whole pipeline in a folder of its own below runs/; the ablation is a copy of that
folder with `phase1.steps: 0`, in which only what that makes stale runs again. The table is Markdown.
"""

import argparse
import json
import shutil
from pathlib import Path

from pipeline_runs import REPOSITORY, print_table, run


def result_of(folder: Path, target: str, changes: dict) -> dict:
    """The result that the pipeline makes in `folder`."""
    run(folder, [f"results/{target}.json"], changes)
    return json.loads((folder / "results" / f"{target}.json").read_text())


def figures(result: dict, ablation: dict, language: str) -> dict[str, float]:
    """One row of the table."""
    scores = result["scores"]
    return {
        "teacher en": scores["teacher"]["en"],
        f"teacher {language}": scores["teacher"][language],
        "student en": scores["student"]["en"],
        f"student {language}": scores["student"][language],
        "retention": result["retention"][language],
        "without phase 1 en": ablation["scores"]["student"]["en"],
        f"without phase 1 {language}": ablation["scores"]["student"][language],
        "parameters student / teacher": 1 / result["compression"]["parameters"],
    }


def main() -> None:
    """Run every seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--language", default="sw")
    parser.add_argument("--runs", type=Path, default=REPOSITORY / "runs", help="where the runs lie, finished or not")
    arguments = parser.parse_args()
    target = f"xnli_{arguments.language}"
    rows = {}
    for seed in arguments.seeds:
        folder, copy = arguments.runs / f"seed{seed}", arguments.runs / f"seed{seed}-without-phase1"
        result = result_of(folder, target, {"seed": seed})
        if not copy.exists():
            shutil.copytree(folder, copy, symlinks=True)
        ablation = result_of(copy, target, {"seed": seed, "phase1": {"steps": 0}})
        rows[f"seed {seed}"] = figures(result, ablation, arguments.language)
    print_table(rows)


if __name__ == "__main__":
    main()
