from pathlib import Path

from bistil_core.progress import reporting
from bistil_core.vocabulary.count_corpus_tokens import count_corpus_tokens

with reporting(snakemake.log[0]):
    count_corpus_tokens(
        base_model=Path(snakemake.input.base_model),
        corpus=Path(snakemake.input.corpus) / "train.parquet",
        output=Path(snakemake.output[0]),
        threads=snakemake.threads,
    )
