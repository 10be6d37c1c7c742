from pathlib import Path

from bistil_core.progress import reporting
from bistil_core.settings.trim import TrimSettings
from bistil_core.vocabulary.trim_bilingual_vocabulary import trim_bilingual_vocabulary

source, target = snakemake.wildcards.source, snakemake.wildcards.target

with reporting(snakemake.log[0]):
    trim_bilingual_vocabulary(
        base_model=Path(snakemake.input.base_model),
        counts={source: Path(snakemake.input.source_counts), target: Path(snakemake.input.target_counts)},
        validation_texts={
            source: Path(snakemake.input.source_corpus) / "validation.parquet",
            target: Path(snakemake.input.target_corpus) / "validation.parquet",
        },
        output=Path(snakemake.output[0]),
        settings=TrimSettings(**snakemake.params.settings),
        threads=snakemake.threads,
    )
