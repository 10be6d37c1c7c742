"""Downloads from the Hugging Face hub: the only rules that touch the network.

They are local rules: on a cluster they run where Snakemake itself runs, since compute nodes often have no network.
They have no `code` among their params: what they write is checked against the hub's own checksums, and new code
is no reason to fetch gigabytes again.
"""

from bistil_core.hub.places import dataset_folder, filled_in, model_folder
from bistil_core.settings.sources import HubModel


def hub_models():
    """Name of the download -> where it comes from, for every base model on the hub."""
    sources = [model.source for model in SETTINGS.base_models.values()]
    return {model_folder(source).name: source for source in sources if source.kind == "hub"}


def hub_datasets():
    """Name of the download -> where it comes from, for every split of a data set on the hub."""
    uses = [(corpus.source, language) for language, corpus in SETTINGS.corpora.items()]
    uses += [(data, SOURCE) for task in SETTINGS.teacher.values() for data in (task.train, task.validation)]
    uses += [
        (benchmark.test_in(language, SOURCE), language)
        for benchmark in SETTINGS.benchmarks.values()
        for language in (SOURCE, *benchmark.languages)
    ]
    return {
        dataset_folder(source, language).name: filled_in(source, language)
        for source, language in uses
        if source.kind == "hub"
    }


def download_of(source, language):
    """Folder of the download that a source on the hub reads."""
    return model_folder(source) if isinstance(source, HubModel) else dataset_folder(source, language)


HUB_MODELS = hub_models()
HUB_DATASETS = hub_datasets()


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
        source=lambda wildcards: canonical(HUB_MODELS[configured("model", wildcards.download, list(HUB_MODELS))]),
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
        source=lambda wildcards: canonical(HUB_DATASETS[configured("data set", wildcards.download, list(HUB_DATASETS))]),
    message:
        "Download the data set {wildcards.download}"
    script:
        "../workflow_scripts/download_dataset.py"
