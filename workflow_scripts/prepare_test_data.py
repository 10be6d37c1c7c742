from pathlib import Path

from pydantic import TypeAdapter

from bistil_core.data.prepare_test_data import prepare_test_data
from bistil_core.progress import reporting
from bistil_core.settings.sources import ExampleSource

with reporting(snakemake.log[0]):
    prepare_test_data(
        output=Path(snakemake.output[0]),
        task=snakemake.params.task,
        language=snakemake.wildcards.language,
        source=TypeAdapter(ExampleSource).validate_python(snakemake.params.source),
        seed=snakemake.params.seed["seed"],
    )
