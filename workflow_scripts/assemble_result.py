from pathlib import Path

from bistil_core.evaluation.assemble_result import assemble_result
from bistil_core.progress import reporting

source, target = snakemake.params.source_language, snakemake.wildcards.language


def by_language(source_path, target_path):
    return {source: Path(source_path), target: Path(target_path)}


with reporting(snakemake.log[0]):
    assemble_result(
        output=Path(snakemake.output[0]),
        benchmark=snakemake.wildcards.benchmark,
        task=snakemake.params.task,
        source_language=source,
        target_language=target,
        experiment=snakemake.params.configuration["experiment"],
        configuration=snakemake.params.configuration,
        code=snakemake.params.code,
        seed=snakemake.params.seed["seed"],
        base_model=Path(snakemake.input.base_model),
        teacher=Path(snakemake.input.teacher),
        student=Path(snakemake.input.student),
        phase2_record=Path(snakemake.input.phase2_record),
        model=Path(snakemake.input.model),
        sft=Path(snakemake.input.sft),
        vocabulary=Path(snakemake.input.vocabulary),
        training_data=Path(snakemake.input.training_data),
        test_data=by_language(snakemake.input.source_test, snakemake.input.target_test),
        corpora=by_language(snakemake.input.source_corpus, snakemake.input.target_corpus),
        counts=by_language(snakemake.input.source_counts, snakemake.input.target_counts),
        evaluations={
            "student": by_language(*snakemake.input.student_evaluations),
            "teacher": by_language(*snakemake.input.teacher_evaluations),
        },
    )
