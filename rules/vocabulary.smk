"""Token counts and the bilingual vocabulary cut."""


rule count_corpus_tokens:
    input:
        base_model="results/base_models/{base}",
        corpus="results/corpora/{language}",
    output:
        intermediate("results/counts/{base}_{language}.parquet"),
    log:
        "logs/count_corpus_tokens/{base}_{language}.log",
    conda:
        "../envs/bistil.yaml"
    threads: training_threads()
    resources:
        **needs(counting_need),
    params:
        code=code_of("count_corpus_tokens"),
    message:
        "Count the tokens of {wildcards.base} in the {wildcards.language} corpus"
    script:
        "../workflow_scripts/count_corpus_tokens.py"


rule trim_bilingual_vocabulary:
    input:
        base_model="results/base_models/{base}",
        source_counts="results/counts/{base}_{source}.parquet",
        target_counts="results/counts/{base}_{target}.parquet",
        source_corpus="results/corpora/{source}",
        target_corpus="results/corpora/{target}",
    output:
        directory("results/vocabularies/{base}_{source}-{target}"),
    log:
        "logs/trim_bilingual_vocabulary/{base}_{source}-{target}.log",
    conda:
        "../envs/bistil.yaml"
    threads: training_threads()
    resources:
        **needs(trimming_need),
    params:
        settings=canonical(SETTINGS.trim),
        code=code_of("trim_bilingual_vocabulary"),
    message:
        "Cut the vocabulary of {wildcards.base} to {wildcards.source} and {wildcards.target}"
    script:
        "../workflow_scripts/trim_bilingual_vocabulary.py"
