"""Downloads from the Hugging Face hub: the only rules that touch the network.

They are local rules: on a cluster they run where Snakemake itself runs, since compute nodes often have no network.
They have no `code` among their params: what they write is checked against the hub's own checksums, and new code
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
        source=lambda wildcards: canonical(configured_download("model", wildcards.download, models_on_hub())),
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
        source=lambda wildcards: canonical(configured_download("data set", wildcards.download, datasets_on_hub())),
    message:
        "Download the data set {wildcards.download}"
    script:
        "../workflow_scripts/download_dataset.py"
