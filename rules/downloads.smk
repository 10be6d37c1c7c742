"""Downloads from the Hugging Face hub and GitHub: the only rules that touch the network.

They are local rules: on a cluster they run where Snakemake itself runs, since compute nodes often have no network.
They have no `code` among their params: what they write is checked against checksums, and new code
is no reason to fetch gigabytes again.
"""


rule download_model:
    output:
        directory("results/downloads/models/{download}"),
    log:
        "logs/download_model/{download}.log",
    retries: 2
    localrule: True
    conda:
        "../envs/bistil.yaml"
    params:
        source=lambda wildcards: canonical(
            downloaded_part(configured_download("model", wildcards.download, models_on_hub()))
        ),
    message:
        "Download the model {wildcards.download}"
    script:
        "../workflow_scripts/download_model.py"


rule download_dataset:
    output:
        directory("results/downloads/datasets/{download}"),
    log:
        "logs/download_dataset/{download}.log",
    retries: 2
    localrule: True
    conda:
        "../envs/bistil.yaml"
    params:
        source=lambda wildcards: canonical(
            downloaded_part(configured_download("data set", wildcards.download, datasets_on_hub()))
        ),
    message:
        "Download the data set {wildcards.download}"
    script:
        "../workflow_scripts/download_dataset.py"


rule download_file:
    output:
        directory("results/downloads/files/{download}"),
    log:
        "logs/download_file/{download}.log",
    retries: 2
    localrule: True
    conda:
        "../envs/bistil.yaml"
    params:
        source=lambda wildcards: canonical(downloaded_part(*configured_file(wildcards))),
        language=lambda wildcards: configured_file(wildcards)[1],
    message:
        "Download the file {wildcards.download}"
    script:
        "../workflow_scripts/download_file.py"
