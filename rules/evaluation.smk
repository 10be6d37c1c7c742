"""Scores, the production model, speed, and the result file."""

STEPS = (
    "prepare_base_model",
    "prepare_corpus",
    "prepare_training_data",
    "prepare_test_data",
    "count_corpus_tokens",
    "trim_bilingual_vocabulary",
    "distil_phase1",
    "fine_tune_teacher",
    "distil_phase2",
    "evaluate_model",
    "export_model",
    "assemble_result",
)


def evaluated(wildcards):
    """The folder, and for a student the sparse fine-tuning, of the system that is scored."""
    if wildcards.system == "teacher":
        return {"model": teacher_of(wildcards)}
    target = target_of(wildcards, wildcards.system.removeprefix("student-"))
    return {
        "model": student_of(wildcards, target),
        "sft": f"results/sft/{wildcards.benchmark}_{target}.safetensors",
    }


def evaluations(wildcards, system):
    """The files of one system's scores: in the source language, then in the target language."""
    return [
        f"results/evaluations/{wildcards.benchmark}_{language}_{system}.json"
        for language in (SOURCE, wildcards.language)
    ]


def max_length(wildcards):
    """Tokens per example, as the teacher was trained."""
    return SETTINGS.teacher[benchmark_of(wildcards).task].fine_tuning.max_length


def scoring_settings():
    """What decides scores, of the `evaluate` section."""
    return canonical(SETTINGS.evaluate.model_dump(exclude={"speed_repeats", "speed_length"}))


def timing_settings():
    """What decides timings, of the `evaluate` section."""
    return canonical(SETTINGS.evaluate.model_dump(include={"speed_repeats", "speed_length"}))


def part_in_result(wildcards):
    """The configuration values that had a part in one result, and no others."""
    whole = SETTINGS.model_dump()
    benchmark = benchmark_of(wildcards)

    def only(section, *names):
        return {name: whole[section][name] for name in names}

    part = {name: whole[name] for name in ("experiment", "source_language", "seed", "trim", "phase1", "evaluate")}
    part["base_models"] = only("base_models", benchmark.base_model)
    part["corpora"] = only("corpora", SOURCE, wildcards.language)
    part["teacher"] = only("teacher", benchmark.task)
    part["phase2"] = only("phase2", benchmark.task)
    part["benchmarks"] = only("benchmarks", wildcards.benchmark)
    part["benchmarks"][wildcards.benchmark]["languages"] = [wildcards.language]
    return canonical(part)


def code_behind_result(wildcards):
    """The digests of all steps that led to one result."""
    benchmark = benchmark_of(wildcards)
    labelled = SETTINGS.teacher[benchmark.task]
    text = (corpus_of(language) for language in (SOURCE, wildcards.language))
    kinds = {
        data.kind for data in (labelled.train, labelled.validation, benchmark.test, *(each.source for each in text))
    }
    chosen = (*task_modules(benchmark.task), *map(source_module, sorted(kinds)))
    return {module: digest for step in STEPS for module, digest in code_of(step, *chosen).items()}


rule evaluate_model:
    input:
        unpack(evaluated),
        test="results/benchmarks/{benchmark}_{language}",
    output:
        "results/evaluations/{benchmark}_{language}_{system}.json",
    log:
        "logs/evaluate_model/{benchmark}_{language}_{system}.log",
    params:
        task=lambda wildcards: benchmark_of(wildcards).task,
        max_length=max_length,
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
    # It computes on one thread but takes every core: nothing may run beside a measurement.
    threads: workflow.cores if workflow.local_exec else 1
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
    params:
        task=lambda wildcards: benchmark_of(wildcards).task,
        source_language=SOURCE,
        configuration=part_in_result,
        seed=SETTINGS.seed,
        code=code_behind_result,
    message:
        "Result of {wildcards.benchmark} in {wildcards.language}"
    script:
        "../workflow_scripts/assemble_result.py"
