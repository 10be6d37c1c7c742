"""Scores, the production model, speed, and the result file."""


rule evaluate_model:
    input:
        unpack(evaluated),
        test="results/benchmarks/{benchmark}_{language}",
    output:
        "results/evaluations/{benchmark}_{language}_{system}.json",
    log:
        "logs/evaluate_model/{benchmark}_{language}_{system}.log",
    conda:
        "../envs/bistil.yaml"
    resources:
        **needs(scoring_need, trains=True),
    params:
        task=lambda wildcards: benchmark_of(wildcards).task,
        max_length=max_length,
        decoding=lambda wildcards: {"decoding": benchmark_of(wildcards).decoding},
        settings=scoring_settings(),
        code=lambda wildcards: code_of("evaluate_model", *task_modules(benchmark_of(wildcards).task)),
    message:
        "Score the {wildcards.system} on {wildcards.benchmark} in {wildcards.language}"
    script:
        "../workflow_scripts/evaluate_model.py"


rule export_model:
    input:
        base_model=base_model_of,
        student=lambda wildcards: student_of(wildcards, wildcards.language),
        sft="results/sft/{benchmark}_{language}.safetensors",
        evaluations=lambda wildcards: evaluations(wildcards, f"student-{wildcards.language}"),
    output:
        directory("results/models/{benchmark}_{language}"),
    log:
        "logs/export_model/{benchmark}_{language}.log",
    conda:
        "../envs/bistil.yaml"
    resources:
        **needs(export_need),
    params:
        task=lambda wildcards: benchmark_of(wildcards).task,
        experiment=canonical(SETTINGS.experiment),
        source_language=SOURCE,
        code=lambda wildcards: code_of("export_model", *task_modules(benchmark_of(wildcards).task)),
    message:
        "Production model of {wildcards.benchmark} in {wildcards.language}"
    script:
        "../workflow_scripts/export_model.py"


rule measure_speed:
    input:
        teacher=teacher_of,
        student=lambda wildcards: student_of(wildcards, wildcards.language),
        sft="results/sft/{benchmark}_{language}.safetensors",
    output:
        "results/{benchmark}_{language}.speed.json",
    log:
        "logs/measure_speed/{benchmark}_{language}.log",
    conda:
        "../envs/bistil.yaml"
    # It computes on one thread but takes every core: nothing may run beside a measurement.
    threads: workflow.cores if LOCAL else 1
    resources:
        **needs(both_models_need),
    params:
        task=lambda wildcards: benchmark_of(wildcards).task,
        settings=timing_settings(),
        code=lambda wildcards: code_of("measure_speed", *task_modules(benchmark_of(wildcards).task)),
    message:
        "Time teacher and student of {wildcards.benchmark} in {wildcards.language}"
    script:
        "../workflow_scripts/measure_speed.py"


rule assemble_result:
    input:
        base_model=base_model_of,
        teacher=teacher_of,
        student=lambda wildcards: student_of(wildcards, wildcards.language),
        phase2_record="results/sft/{benchmark}_{language}.training.json",
        model="results/models/{benchmark}_{language}",
        sft="results/sft/{benchmark}_{language}.safetensors",
        vocabulary=lambda wildcards: vocabulary_of(wildcards, wildcards.language),
        training_data=training_data_of,
        source_test=f"results/benchmarks/{{benchmark}}_{SOURCE}",
        target_test="results/benchmarks/{benchmark}_{language}",
        source_corpus=f"results/corpora/{SOURCE}",
        target_corpus="results/corpora/{language}",
        source_counts=lambda wildcards: counts_of(wildcards, SOURCE),
        target_counts=lambda wildcards: counts_of(wildcards, wildcards.language),
        student_evaluations=lambda wildcards: evaluations(
            wildcards, f"student-{target_of(wildcards, wildcards.language)}"
        ),
        teacher_evaluations=lambda wildcards: evaluations(wildcards, "teacher"),
        # Not read: asked for so that whoever reads the result finds the timings beside it.
        speed="results/{benchmark}_{language}.speed.json",
    output:
        "results/{benchmark}_{language}.json",
    log:
        "logs/assemble_result/{benchmark}_{language}.log",
    conda:
        "../envs/bistil.yaml"
    resources:
        **needs(both_models_need),
    params:
        task=lambda wildcards: benchmark_of(wildcards).task,
        source_language=SOURCE,
        configuration=part_in_result,
        seed={"seed": SETTINGS.seed},
        code=code_behind_result,
    message:
        "Result of {wildcards.benchmark} in {wildcards.language}"
    script:
        "../workflow_scripts/assemble_result.py"
