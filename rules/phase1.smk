"""Phase 1: one task-agnostic student per base model and pair of languages."""


rule distil_phase1:
    input:
        base_model="results/base_models/{base}",
        vocabulary="results/vocabularies/{base}_{source}-{target}",
        source_corpus="results/corpora/{source}",
        target_corpus="results/corpora/{target}",
        source_language_sft=lambda wildcards: language_sft_of(wildcards.base, wildcards.source),
        target_language_sft=lambda wildcards: language_sft_of(wildcards.base, wildcards.target),
    output:
        directory("results/students/{base}_{source}-{target}"),
    log:
        "logs/distil_phase1/{base}_{source}-{target}.log",
    conda:
        "../envs/bistil.yaml"
    threads: training_threads()
    resources:
        **needs(phase1_need, trains=True),
    params:
        settings=canonical(SETTINGS.phase1),
        seed={"seed": seed_of(SETTINGS, SETTINGS.phase1)},
        code=lambda wildcards: code_of("distil_phase1", *family_modules(wildcards.base)),
    message:
        "Distil {wildcards.base} into a {wildcards.source}-{wildcards.target} student (phase 1)"
    script:
        "../workflow_scripts/distil_phase1.py"
