from pathlib import Path

from bistil_core.planning.plan import plan
from bistil_core.progress import reporting
from bistil_core.settings.loading import load_configuration

with reporting(snakemake.log[0]):
    plan(
        load_configuration(snakemake.config),
        output=Path("results/plan.json"),
        device=snakemake.resources.device,
        threads=snakemake.params.threads,
        taken=snakemake.params.taken,
    )
