from pathlib import Path

from bistil_core.evaluation.export_model import export_model
from bistil_core.progress import reporting

languages = (snakemake.params.source_language, snakemake.wildcards.language)

with reporting(snakemake.log[0]):
    export_model(
        student=Path(snakemake.input.student),
        sft=Path(snakemake.input.sft),
        evaluations=dict(zip(languages, map(Path, snakemake.input.evaluations), strict=True)),
        output=Path(snakemake.output[0]),
        task=snakemake.params.task,
        benchmark=snakemake.wildcards.benchmark,
        experiment=snakemake.params.experiment,
        base_model=Path(snakemake.input.base_model),
    )
