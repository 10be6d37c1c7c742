from pathlib import Path

from bistil_core.data.prepare_corpus import prepare_corpus
from bistil_core.progress import reporting
from bistil_core.settings.corpora import CorpusSettings

with reporting(snakemake.log[0]):
    prepare_corpus(
        output=Path(snakemake.output[0]),
        language=snakemake.wildcards.language,
        settings=CorpusSettings(**snakemake.params.settings),
        seed=snakemake.params.seed["seed"],
    )
