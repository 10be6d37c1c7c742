"""The README.md beside a production model: what it is, how to use it, what it scored."""

from bistil_core.task import Task

SYNTHETIC = """
> **Synthetic.** This model was trained and tested in a small generated world. Its scores say that the
> pipeline works; they are not scores on the benchmark of the same name, and it knows no real text.
"""


def model_card(
    *,
    task: Task,
    benchmark: str,
    experiment: dict,
    base_model: str,
    scores: dict[str, dict],
    parameters: int,
    layers: int,
    vocabulary: int,
) -> str:
    """Markdown with the hub's metadata header.

    Args:
        scores: language -> what `evaluate_model` wrote; the source language first, the target last.
    """
    source, target = next(iter(scores)), list(scores)[-1]
    rows = [
        f"| {language} | {score['score']:.4f} | {score['interval'][0]:.4f} to {score['interval'][1]:.4f} "
        f"| {score['examples']} |"
        for language, score in scores.items()
    ]
    metric = scores[target]["metric"]
    header = ["---", "library_name: transformers", "language:", f"- {source}", f"- {target}"]
    header += [f"pipeline_tag: {task.pipeline}"] if task.pipeline else []
    header += ["tags:", "- bistil", "---"]
    lines = [
        *header,
        f"# {benchmark} in {target}",
        SYNTHETIC if experiment["synthetic"] else "",
        f"A bilingual student ({source}, {target}) of {base_model}: {layers} layers, {parameters:,} parameters, "
        f"{vocabulary:,} tokens, distilled with BiStil (Ansell et al., Findings of ACL 2023). It learnt the task "
        f"from labels in {source} alone; its scores in {target} are zero-shot.",
        "",
        f"| language | {metric} | {scores[target]['confidence']:.0%} interval | test examples |",
        "|---|---|---|---|",
        *rows,
        "",
        "```python",
        task.usage,
        "```",
    ]
    return "\n".join(lines) + "\n"
