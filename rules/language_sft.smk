"""Sparse fine-tunings that adapt a base model to a language, learnt from its corpus."""


rule train_language_sft:
    input:
        base_model="results/base_models/{base}",
        corpus="results/corpora/{language}",
    output:
        sft="results/language_sfts/{base}_{language}.safetensors",
        record="results/language_sfts/{base}_{language}.training.json",
    log:
        "logs/train_language_sft/{base}_{language}.log",
    conda:
        "../envs/bistil.yaml"
    threads: training_threads()
    resources:
        **needs(language_sft_need, trains=True),
    params:
        settings=lambda wildcards: canonical(trained_language_sft()),
        seed=lambda wildcards: {"seed": seed_of(SETTINGS, trained_language_sft())},
        code=lambda wildcards: code_of("train_language_sft", *family_modules(wildcards.base)),
    message:
        "Learn the sparse fine-tuning of {wildcards.base} for {wildcards.language}"
    script:
        "../workflow_scripts/train_language_sft.py"
