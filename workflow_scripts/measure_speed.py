from pathlib import Path

from bistil_core.evaluation.measure_speed import measure_speed
from bistil_core.progress import reporting
from bistil_core.settings.tasks import EvaluateSettings

with reporting(snakemake.log[0]):
    measure_speed(
        teacher=Path(snakemake.input.teacher),
        student=Path(snakemake.input.student),
        sft=Path(snakemake.input.sft),
        output=Path(snakemake.output[0]),
        task=snakemake.params.task,
        settings=EvaluateSettings(**snakemake.params.settings),
        threads=1,
    )
