from pathlib import Path

from bistil_core.hub.download_file import download_file
from bistil_core.progress import reporting
from bistil_core.settings.sources import GithubExamples

with reporting(snakemake.log[0]):
    download_file(
        output=Path(snakemake.output[0]),
        source=GithubExamples(**snakemake.params.source),
        language=snakemake.params.language,
    )
