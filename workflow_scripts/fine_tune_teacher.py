from pathlib import Path

from bistil_core.progress import reporting
from bistil_core.settings.checkpoints import CheckpointSettings
from bistil_core.settings.tasks import TeacherSettings
from bistil_core.threads import gpus_asked_for
from bistil_core.training.fine_tune_teacher import fine_tune_teacher

languages = snakemake.params.languages
language_sfts = {language: snakemake.input.get(f"language_sft_{language}") for language in languages}

with reporting(snakemake.log[0]):
    fine_tune_teacher(
        base_model=Path(snakemake.input.base_model),
        data=dict(zip(languages, map(Path, snakemake.input.data), strict=True)),
        output=Path(snakemake.output[0]),
        task=snakemake.wildcards.task,
        source_language=snakemake.wildcards.source,
        settings=TeacherSettings(**snakemake.params.settings),
        seed=snakemake.params.seed["seed"],
        threads=snakemake.threads,
        processes=gpus_asked_for(**snakemake.resources),
        interval=CheckpointSettings(**snakemake.config.get("checkpoints", {})),
        language_sfts={language: Path(sft) for language, sft in language_sfts.items() if sft},
    )
