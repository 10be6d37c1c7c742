"""Every step that a configuration asks for, with its cost, by the output that names it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bistil_core.downloads import dataset_folder, file_folder, model_folder
from bistil_core.planning.estimates import Cost, Estimates
from bistil_core.planning.resources import Need
from bistil_core.planning.sizes import Sizes
from bistil_core.settings.configuration import Configuration


@dataclass(frozen=True)
class Step:
    """One job.

    Attributes:
        output: its path, the first where there are several.
    """

    rule: str
    output: str
    cost: Cost


def steps_of(configuration: Configuration, sizes: Sizes) -> list[Step]:
    """The jobs of `snakemake` on an empty folder, in the order in which they can run, each once."""
    steps: dict[str, Step] = {}
    for step in (*_downloads(configuration, sizes), *_shared(configuration, sizes), *_results(configuration, sizes)):
        steps.setdefault(step.output, step)
    return list(steps.values())


def languages_of(configuration: Configuration, base: str) -> list[str]:
    """The target languages of all benchmarks of a base model, each once."""
    chosen = (benchmark for benchmark in configuration.benchmarks.values() if benchmark.base_model == base)
    return list(dict.fromkeys(language for benchmark in chosen for language in benchmark.languages))


def _bases(configuration: Configuration) -> list[str]:
    return list(dict.fromkeys(benchmark.base_model for benchmark in configuration.benchmarks.values()))


def _languages(configuration: Configuration) -> list[str]:
    """Those of all corpora that are read."""
    bases = _bases(configuration)
    targets = (language for base in bases for language in languages_of(configuration, base))
    adapted = (language for base in bases for language in _trained_sfts(configuration, base))
    return list(dict.fromkeys((configuration.source_language, *targets, *adapted)))


def _adapted_languages(configuration: Configuration, base: str) -> list[str]:
    """The languages that a base model is adapted to where a sparse fine-tuning is configured."""
    tasks = (benchmark.task for benchmark in configuration.benchmarks.values() if benchmark.base_model == base)
    taught = (language for task in tasks for language in configuration.teacher_languages(task))
    languages = (configuration.source_language, *languages_of(configuration, base), *taught)
    return list(dict.fromkeys(languages))


def _trained_sfts(configuration: Configuration, base: str) -> list[str]:
    """Languages whose sparse fine-tunings of a base model are trained."""
    languages = _adapted_languages(configuration, base)
    found = ((language, configuration.language_sft.get(language)) for language in languages)
    return [language for language, sft in found if sft is not None and sft.kind == "train"]


def _downloads(configuration: Configuration, sizes: Sizes) -> Iterator[Step]:
    estimates = Estimates(configuration, sizes)
    source_language = configuration.source_language
    for base in _bases(configuration):
        source = configuration.base_models[base].source
        if source.kind == "hub":
            yield Step("download_model", str(model_folder(source)), estimates.model_download(base))
        for language in _adapted_languages(configuration, base):
            sft = configuration.language_sft.get(language)
            if sft is not None and sft.kind == "hub":
                yield Step("download_model", str(model_folder(sft)), estimates.sft_download(base))
    for language in _languages(configuration):
        source = configuration.corpora[language].source
        if source.kind == "hub":
            yield Step("download_dataset", str(dataset_folder(source, language)), estimates.corpus_download(language))
    for benchmark in configuration.benchmarks.values():
        labelled = configuration.teacher[benchmark.task]
        sft = labelled.task_sft
        if sft is not None and sft.kind == "hub":
            yield Step("download_model", str(model_folder(sft)), estimates.sft_download(benchmark.base_model))
        for language in configuration.teacher_languages(benchmark.task):
            for data in (labelled.train, labelled.validation):
                yield from _example_download(data, language, estimates.training_data(benchmark.task))
        for language in (source_language, *benchmark.languages):
            data = benchmark.test_in(language, source_language)
            yield from _example_download(data, language, estimates.test_data(benchmark.task, data))


def _example_download(source: Any, language: str, read: Cost) -> Iterator[Step]:
    cost = Cost(download=read.disk, disk=read.disk)
    if source.kind == "hub":
        yield Step("download_dataset", str(dataset_folder(source, language)), cost)
    elif source.kind == "github":
        yield Step("download_file", str(file_folder(source, language)), cost)


def _shared(configuration: Configuration, sizes: Sizes) -> Iterator[Step]:
    """What several results share, student and vocabulary of a pair of languages included."""
    estimates = Estimates(configuration, sizes)
    source = configuration.source_language
    for language in _languages(configuration):
        yield Step("prepare_corpus", f"results/corpora/{language}", estimates.corpus(language))
    for base in _bases(configuration):
        yield Step("prepare_base_model", f"results/base_models/{base}", estimates.base_model(base))
        for language in (source, *languages_of(configuration, base)):
            counts = f"results/counts/{base}_{language}.parquet"
            yield Step("count_corpus_tokens", counts, estimates.counts(language))
        for language in _trained_sfts(configuration, base):
            sft = f"results/language_sfts/{base}_{language}.safetensors"
            yield Step("train_language_sft", sft, estimates.language_sft(base, language))
        for target in languages_of(configuration, base):
            pair = f"{base}_{source}-{target}"
            yield Step("trim_bilingual_vocabulary", f"results/vocabularies/{pair}", estimates.vocabulary(base, target))
            yield Step("distil_phase1", f"results/students/{pair}", estimates.phase1(base, target))
    for benchmark in configuration.benchmarks.values():
        base, task = benchmark.base_model, benchmark.task
        for language in configuration.teacher_languages(task):
            yield Step("prepare_training_data", f"results/tasks/{task}_{language}", estimates.training_data(task))
        rule = "compose_teacher" if configuration.teacher[task].task_sft else "fine_tune_teacher"
        yield Step(rule, f"results/teachers/{base}_{task}_{source}", estimates.teacher(base, task))


def _results(configuration: Configuration, sizes: Sizes) -> Iterator[Step]:
    """What belongs to one result, and the teacher's scores in the source language."""
    estimates = Estimates(configuration, sizes)
    source = configuration.source_language
    for name, benchmark in configuration.benchmarks.items():
        base, task = benchmark.base_model, benchmark.task
        for language in (source, *benchmark.languages):
            data = benchmark.test_in(language, source)
            test = estimates.test_data(task, data)
            yield Step("prepare_test_data", f"results/benchmarks/{name}_{language}", test)
            scores = f"results/evaluations/{name}_{language}_teacher.json"
            yield Step("evaluate_model", scores, estimates.evaluation(base, task, data, student=False))
        for target in benchmark.languages:
            result = f"{name}_{target}"
            yield Step("distil_phase2", f"results/sft/{result}.safetensors", estimates.phase2(base, task))
            for language in (source, target):
                data = benchmark.test_in(language, source)
                scores = f"results/evaluations/{name}_{language}_student-{target}.json"
                yield Step("evaluate_model", scores, estimates.evaluation(base, task, data, student=True))
            yield Step("export_model", f"results/models/{result}", estimates.export(base))
            yield Step("measure_speed", f"results/{result}.speed.json", estimates.speed(base))
            yield Step("assemble_result", f"results/{result}.json", Cost(Need(start="training"), disk=15e3))
