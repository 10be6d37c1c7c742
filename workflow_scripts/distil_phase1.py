from pathlib import Path

from bistil_core.progress import reporting
from bistil_core.settings.checkpoints import CheckpointSettings
from bistil_core.settings.phase1 import Phase1Settings
from bistil_core.threads import gpus_asked_for
from bistil_core.training.distil_phase1 import distil_phase1

languages = {
    snakemake.wildcards.source: snakemake.input.source_language_sft,
    snakemake.wildcards.target: snakemake.input.target_language_sft,
}

with reporting(snakemake.log[0]):
    distil_phase1(
        base_model=Path(snakemake.input.base_model),
        vocabulary=Path(snakemake.input.vocabulary),
        corpora={
            snakemake.wildcards.source: Path(snakemake.input.source_corpus),
            snakemake.wildcards.target: Path(snakemake.input.target_corpus),
        },
        output=Path(snakemake.output[0]),
        settings=Phase1Settings(**snakemake.params.settings),
        seed=snakemake.params.seed["seed"],
        threads=snakemake.threads,
        processes=gpus_asked_for(**snakemake.resources),
        interval=CheckpointSettings(**snakemake.config.get("checkpoints", {})),
        language_sfts={language: Path(sft) for language, sft in languages.items() if sft},
    )
