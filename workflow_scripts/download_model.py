from pathlib import Path

from bistil_core.hub.download_model import download_model
from bistil_core.progress import reporting
from bistil_core.settings.sources import HubFiles

with reporting(snakemake.log[0]):
    download_model(output=Path(snakemake.output[0]), source=HubFiles(**snakemake.params.source))
