"""The miniature's four tasks as means of several seeds, beside models trained alike from random weights.

    python benchmarks/miniature_tasks.py --seeds 1 2 3

Each seed is a run of config.yaml in a folder of its own below runs/. The model from random weights has the shape and
the tokenizer of the miniature's and learns the task as the teacher does, but with nothing frozen: its lowest layers and
embeddings share nothing between languages that would be worth keeping. The table is Markdown.
"""

import argparse
import json
from pathlib import Path

import pandas as pd
import yaml
from pipeline_runs import REPOSITORY, run

MMT = REPOSITORY / "bistil_core" / "miniature" / "mmt"
SHAPE = (
    "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings",
    "initializer_range",
)  # fmt: skip


def from_random_weights(config: dict, seed: int) -> dict:
    """What is changed in config.yaml for the same experiment without pretraining."""
    shape = json.loads((MMT / "config.json").read_text())
    source = {
        "kind": "random", "model_type": shape["model_type"], "tokenizer": str(MMT),
        "config": {name: shape[name] for name in SHAPE},
    }  # fmt: skip
    unfrozen = {"fine_tuning": {"freeze_embeddings": False, "freeze_layers": 0}}
    return {
        "seed": seed,
        "base_models": {"miniature": {"source": source}},
        "teacher": dict.fromkeys(config["teacher"], unfrozen),
    }


def main() -> None:
    """Run every seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--language", default="sw")
    parser.add_argument("--runs", type=Path, default=REPOSITORY / "runs", help="where the runs lie, finished or not")
    arguments = parser.parse_args()
    language, config = arguments.language, yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    rows = []
    for seed in arguments.seeds:
        folder, random = arguments.runs / f"seed{seed}", arguments.runs / f"seed{seed}-from-random-weights"
        results = {name: f"results/{name}_{language}.json" for name in config["benchmarks"]}
        untrained = {name: f"results/evaluations/{name}_{language}_teacher.json" for name in config["benchmarks"]}
        run(folder, list(results.values()), {"seed": seed})
        run(random, list(untrained.values()), from_random_weights(config, seed))
        for name in config["benchmarks"]:
            result = json.loads((folder / results[name]).read_text())
            scores = result["scores"]
            rows.append(
                {
                    "benchmark": name,
                    "metric": result["metric"],
                    "teacher en": scores["teacher"]["en"],
                    f"teacher {language}": scores["teacher"][language],
                    f"from random weights {language}": json.loads((random / untrained[name]).read_text())["score"],
                    f"student {language}": scores["student"][language],
                    "retention": result["retention"][language],
                }
            )
    grouped = pd.DataFrame(rows).groupby(["benchmark", "metric"], sort=False)
    mean, low, high = grouped.mean(), grouped.min(), grouped.max()
    columns = [*mean.index.names, *mean.columns]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name in mean.index:
        cells = [
            f"{mean.loc[name, column]:.3f} ({low.loc[name, column]:.3f} to {high.loc[name, column]:.3f})"
            for column in mean.columns
        ]
        print(f"| {' | '.join([*name, *cells])} |")


if __name__ == "__main__":
    main()
