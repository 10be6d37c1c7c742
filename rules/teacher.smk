"""One task teacher per base model, task and source language, for all target languages."""


rule fine_tune_teacher:
    input:
        unpack(learnt_from),
        base_model="results/base_models/{base}",
    output:
        directory("results/teachers/{base}_{task}_{source}"),
    log:
        "logs/fine_tune_teacher/{base}_{task}_{source}.log",
    wildcard_constraints:
        task=one_of(fine_tuned_tasks()),
    conda:
        "../envs/bistil.yaml"
    threads: training_threads()
    resources:
        **needs(teacher_need, trains=True),
    params:
        settings=lambda wildcards: canonical(teacher_settings(wildcards)),
        languages=source_languages,
        seed=lambda wildcards: {"seed": seed_of(SETTINGS, teacher_settings(wildcards))},
        code=lambda wildcards: code_of(
            "fine_tune_teacher",
            *task_modules(wildcards.task),
            *family_modules(wildcards.base),
        ),
    message:
        "Fine-tune the {wildcards.task} teacher of {wildcards.base} on {wildcards.source}"
    script:
        "../workflow_scripts/fine_tune_teacher.py"


rule compose_teacher:
    input:
        base_model="results/base_models/{base}",
        task_sft=lambda wildcards: sft_path(SETTINGS.teacher[wildcards.task].task_sft),
        language_sft=lambda wildcards: language_sft_of(wildcards.base, wildcards.source),
    output:
        directory("results/teachers/{base}_{task}_{source}"),
    log:
        "logs/compose_teacher/{base}_{task}_{source}.log",
    wildcard_constraints:
        task=one_of(published_tasks()),
    conda:
        "../envs/bistil.yaml"
    resources:
        **needs(composing_need),
    params:
        labels=lambda wildcards: {"labels": SETTINGS.teacher[wildcards.task].task_sft.labels},
        code=lambda wildcards: code_of("compose_teacher", *task_modules(wildcards.task)),
    message:
        "Compose the {wildcards.task} teacher of {wildcards.base} for {wildcards.source}"
    script:
        "../workflow_scripts/compose_teacher.py"
