"""What goes in: base models, corpora, labelled data."""


rule prepare_base_model:
    input:
        lambda wildcards: input_files(base_model_source(wildcards)),
    output:
        intermediate(directory("results/base_models/{base}")),
    log:
        "logs/prepare_base_model/{base}.log",
    conda:
        "../envs/bistil.yaml"
    resources:
        **needs(base_model_need),
    params:
        model=base_model_params,
        seed=lambda wildcards: {"seed": SETTINGS.seed if base_model_source(wildcards).kind == "random" else 0},
        code=lambda wildcards: code_of(
            "prepare_base_model",
            base_source_module(wildcards.base),
            *family_modules(wildcards.base),
        ),
    message:
        "Base model {wildcards.base}"
    script:
        "../workflow_scripts/prepare_base_model.py"


rule prepare_corpus:
    input:
        lambda wildcards: input_files(corpus_of(wildcards.language).source, wildcards.language),
    output:
        intermediate(directory("results/corpora/{language}")),
    log:
        "logs/prepare_corpus/{language}.log",
    conda:
        "../envs/bistil.yaml"
    resources:
        **needs(corpus_need),
    params:
        settings=lambda wildcards: canonical(corpus_of(wildcards.language)),
        seed={"seed": SETTINGS.seed},
        code=lambda wildcards: code_of(
            "prepare_corpus",
            text_source_module(corpus_of(wildcards.language).source.kind),
        ),
    message:
        "Corpus of {wildcards.language}: read or generate, clean, deduplicate, split"
    script:
        "../workflow_scripts/prepare_corpus.py"


rule prepare_training_data:
    input:
        lambda wildcards: [
            file
            for part in ("train", "validation")
            for file in input_files(getattr(SETTINGS.teacher[wildcards.task], part), wildcards.language)
        ],
    output:
        intermediate(directory("results/tasks/{task}_{language}")),
    log:
        "logs/prepare_training_data/{task}_{language}.log",
    conda:
        "../envs/bistil.yaml"
    resources:
        **needs(light_need),
    params:
        train=lambda wildcards: source_params(SETTINGS.teacher[wildcards.task].train),
        validation=lambda wildcards: source_params(SETTINGS.teacher[wildcards.task].validation),
        seed=lambda wildcards: seed_for(
            SETTINGS.teacher[wildcards.task].train,
            SETTINGS.teacher[wildcards.task].validation,
        ),
        code=lambda wildcards: code_of(
            "prepare_training_data",
            *example_modules(SETTINGS.teacher[wildcards.task].train, wildcards.task),
            *example_modules(SETTINGS.teacher[wildcards.task].validation, wildcards.task),
        ),
    message:
        "Training data of {wildcards.task} in {wildcards.language}"
    script:
        "../workflow_scripts/prepare_training_data.py"


rule prepare_test_data:
    input:
        lambda wildcards: input_files(test_source(wildcards), wildcards.language),
    output:
        intermediate(directory("results/benchmarks/{benchmark}_{language}")),
    log:
        "logs/prepare_test_data/{benchmark}_{language}.log",
    conda:
        "../envs/bistil.yaml"
    resources:
        **needs(light_need),
    params:
        task=lambda wildcards: benchmark_of(wildcards).task,
        source=lambda wildcards: source_params(test_source(wildcards)),
        seed=lambda wildcards: seed_for(test_source(wildcards)),
        code=lambda wildcards: code_of(
            "prepare_test_data",
            *example_modules(test_source(wildcards), benchmark_of(wildcards).task),
        ),
    message:
        "Test data of {wildcards.benchmark} in {wildcards.language}"
    script:
        "../workflow_scripts/prepare_test_data.py"
