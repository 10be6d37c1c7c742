from pathlib import Path

from bistil_core.miniature.pretraining import pretrain_miniature
from bistil_core.progress import reporting

with reporting(snakemake.log[0]):
    pretrain_miniature(output=Path(snakemake.output[0]), seed=1, threads=1)
