from pathlib import Path

from bistil_core.progress import reporting
from bistil_core.settings.checkpoints import CheckpointSettings
from bistil_core.settings.language_sft import TrainLanguageSftSettings
from bistil_core.threads import gpus_asked_for
from bistil_core.training.train_language_sft import train_language_sft

with reporting(snakemake.log[0]):
    train_language_sft(
        base_model=Path(snakemake.input.base_model),
        corpus=Path(snakemake.input.corpus),
        output=Path(snakemake.output.sft),
        record=Path(snakemake.output.record),
        language=snakemake.wildcards.language,
        settings=TrainLanguageSftSettings(**snakemake.params.settings),
        seed=snakemake.params.seed["seed"],
        threads=snakemake.threads,
        processes=gpus_asked_for(**snakemake.resources),
        interval=CheckpointSettings(**snakemake.config.get("checkpoints", {})),
    )
