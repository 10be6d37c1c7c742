from pathlib import Path

from pydantic import TypeAdapter

from bistil_core.data.prepare_training_data import prepare_training_data
from bistil_core.progress import reporting
from bistil_core.settings.sources import ExampleSource

source = TypeAdapter(ExampleSource)

with reporting(snakemake.log[0]):
    prepare_training_data(
        output=Path(snakemake.output[0]),
        task=snakemake.wildcards.task,
        language=snakemake.wildcards.language,
        train=source.validate_python(snakemake.params.train),
        validation=source.validate_python(snakemake.params.validation),
        seed=snakemake.params.seed["seed"],
    )
