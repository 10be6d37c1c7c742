from pathlib import Path

from pydantic import TypeAdapter

from bistil_core.models.prepare_base_model import prepare_base_model
from bistil_core.progress import reporting
from bistil_core.settings.sources import ModelSource

with reporting(snakemake.log[0]):
    prepare_base_model(
        output=Path(snakemake.output[0]),
        name=snakemake.wildcards.base,
        source=TypeAdapter(ModelSource).validate_python(snakemake.params.model["source"]),
        seed=snakemake.params.seed["seed"],
    )
