from pathlib import Path

from bistil_core.progress import reporting
from bistil_core.settings.checkpoints import CheckpointSettings
from bistil_core.settings.tasks import TeacherSettings
from bistil_core.threads import gpus_asked_for
from bistil_core.training.fine_tune_teacher import fine_tune_teacher

language_sft = snakemake.input.language_sft

with reporting(snakemake.log[0]):
    fine_tune_teacher(
        base_model=Path(snakemake.input.base_model),
        data=Path(snakemake.input.data),
        output=Path(snakemake.output[0]),
        task=snakemake.wildcards.task,
        source_language=snakemake.wildcards.source,
        settings=TeacherSettings(**snakemake.params.settings),
        seed=snakemake.params.seed["seed"],
        threads=snakemake.threads,
        processes=gpus_asked_for(**snakemake.resources),
        interval=CheckpointSettings(**snakemake.config.get("checkpoints", {})),
        language_sft=Path(language_sft) if language_sft else None,
    )
