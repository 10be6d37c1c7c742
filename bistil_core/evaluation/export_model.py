"""The student for production: a plain transformers folder that needs nothing of this package."""

from pathlib import Path

from bistil_core.evaluation.finished import load_finished
from bistil_core.evaluation.model_card import model_card
from bistil_core.files import read_json, replacing
from bistil_core.models.loading import load_tokenizer
from bistil_core.tasks import task_named


def export_model(
    student: Path,
    sft: Path,
    evaluations: dict[str, Path],
    output: Path,
    task: str,
    benchmark: str,
    experiment: dict,
    base_model: Path,
) -> None:
    """Add the sparse fine-tuning to the phase-1 student and save the sum with its tokenizer and a model card.

    Args:
        student: folder of the phase-1 student.
        sft: the task's sparse fine-tuning.
        evaluations: language -> JSON of `evaluate_model` for this student; the source language first.
        output: folder for config.json, model.safetensors, tokenizer.json and README.md.
        experiment: `name` and `synthetic`; a synthetic one is named as such on the card.
        base_model: folder of the base model, for its name on the card.
    """
    model = load_finished(task_named(task), student, sft)
    tokenizer = load_tokenizer(student)
    with replacing(output) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        card = model_card(
            task=task_named(task),
            benchmark=benchmark,
            experiment=experiment,
            base_model=read_json(base_model / "provenance.json")["name"],
            scores={language: read_json(path) for language, path in evaluations.items()},
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            layers=model.config.num_hidden_layers,
            vocabulary=len(tokenizer),
        )
        (folder / "README.md").write_text(card, encoding="utf-8")
