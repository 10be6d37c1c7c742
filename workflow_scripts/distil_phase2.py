from pathlib import Path

from bistil_core.progress import reporting
from bistil_core.settings.checkpoints import CheckpointSettings
from bistil_core.settings.tasks import Phase2Settings
from bistil_core.threads import gpus_asked_for
from bistil_core.training.distil_phase2 import distil_phase2

teacher = snakemake.input.teacher

with reporting(snakemake.log[0]):
    distil_phase2(
        student=Path(snakemake.input.student),
        teacher=Path(teacher) if teacher else None,
        vocabulary=Path(snakemake.input.vocabulary),
        data=Path(snakemake.input.data),
        output=Path(snakemake.output.sft),
        record=Path(snakemake.output.record),
        task=snakemake.params.task,
        source_language=snakemake.params.source_language,
        settings=Phase2Settings(**snakemake.params.settings),
        seed=snakemake.params.seed["seed"],
        threads=snakemake.threads,
        processes=gpus_asked_for(**snakemake.resources),
        interval=CheckpointSettings(**snakemake.config.get("checkpoints", {})),
    )
