from pathlib import Path

from bistil_core.hub.download_dataset import download_dataset
from bistil_core.progress import reporting
from bistil_core.settings.sources import HubExamples, HubText

settings = snakemake.params.source
source = HubText(**settings) if "maximum_characters" in settings else HubExamples(**settings)

with reporting(snakemake.log[0]):
    download_dataset(output=Path(snakemake.output[0]), source=source)
