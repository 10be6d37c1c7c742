from pathlib import Path

from bistil_core.clean import clean
from bistil_core.progress import reporting

with reporting(snakemake.log[0]):
    clean(Path("results"), kept=snakemake.params.kept)
