from pathlib import Path

from bistil_core.evaluation.evaluate_model import evaluate_model
from bistil_core.progress import reporting
from bistil_core.settings.tasks import EvaluateSettings

sft = snakemake.input.get("sft")
if teacher := snakemake.input.get("teacher"):
    sft = f"{teacher}/sft.safetensors"
language_sft = snakemake.input.get("language_sft")

with reporting(snakemake.log[0]):
    evaluate_model(
        model=Path(snakemake.input.model),
        sft=Path(sft) if sft else None,
        test=Path(snakemake.input.test) / "test.parquet",
        output=Path(snakemake.output[0]),
        task=snakemake.params.task,
        language=snakemake.wildcards.language,
        max_length=snakemake.params.max_length["max_length"],
        settings=EvaluateSettings(**snakemake.params.settings),
        threads=snakemake.threads,
        language_sft=Path(language_sft) if language_sft else None,
        decoding=snakemake.params.decoding["decoding"],
    )
