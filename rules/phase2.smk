"""Phase 2: the task, distilled into the student as a sparse fine-tuning."""


rule distil_phase2:
    input:
        student=lambda wildcards: student_of(wildcards, wildcards.language),
        vocabulary=lambda wildcards: vocabulary_of(wildcards, wildcards.language),
        teacher=lambda wildcards: [] if phase2_settings(wildcards).teacher == "none" else teacher_of(wildcards),
        data=training_data_of,
    output:
        sft="results/sft/{benchmark}_{language}.safetensors",
        record="results/sft/{benchmark}_{language}.training.json",
    log:
        "logs/distil_phase2/{benchmark}_{language}.log",
    conda:
        "../envs/bistil.yaml"
    threads: training_threads()
    resources:
        **needs(phase2_need, trains=True),
    params:
        task=lambda wildcards: benchmark_of(wildcards).task,
        source_language=SOURCE,
        settings=lambda wildcards: canonical(phase2_settings(wildcards)),
        seed=lambda wildcards: {"seed": seed_of(SETTINGS, phase2_settings(wildcards))},
        code=lambda wildcards: code_of(
            "distil_phase2",
            *task_modules(benchmark_of(wildcards).task),
            *family_modules(benchmark_of(wildcards).base_model),
        ),
    message:
        "Distil the task of {wildcards.benchmark} into the {wildcards.language} student (phase 2)"
    script:
        "../workflow_scripts/distil_phase2.py"
