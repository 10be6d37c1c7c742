from pathlib import Path

from bistil_core.progress import reporting
from bistil_core.training.compose_teacher import compose_teacher

language_sft = snakemake.input.language_sft

with reporting(snakemake.log[0]):
    compose_teacher(
        base_model=Path(snakemake.input.base_model),
        task_sft=Path(snakemake.input.task_sft),
        output=Path(snakemake.output[0]),
        task=snakemake.wildcards.task,
        labels=snakemake.params.labels["labels"],
        language_sft=Path(language_sft) if language_sft else None,
    )
