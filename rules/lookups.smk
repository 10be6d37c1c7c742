"""From wildcards to settings, paths and code: what the rules ask about a result."""

import difflib

from snakemake.io import IOFile

from bistil_core.downloads import dataset_folder, downloaded_part, file_folder, filled_in, model_folder
from bistil_core.files import read_json, sha256_of
from bistil_core.models.families import family_module
from bistil_core.planning.sizes import Sizes
from bistil_core.planning.steps import steps_of
from bistil_core.settings.local_files import local_paths
from bistil_core.settings.sources import GithubExamples, HubModel

MINIATURE = Path(workflow.basedir) / "bistil_core" / "miniature" / "mmt"

STEPS = (
    "prepare_base_model",
    "prepare_corpus",
    "prepare_training_data",
    "prepare_test_data",
    "count_corpus_tokens",
    "trim_bilingual_vocabulary",
    "distil_phase1",
    "distil_phase2",
    "evaluate_model",
    "export_model",
    "assemble_result",
)


def configured(kind, name, choices):
    """`name`, if it is one of `choices`; else an error that says which there are."""
    if name in choices:
        return name
    near = difflib.get_close_matches(name, choices, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise WorkflowError(f"The configuration has no {kind} {name!r}; it has: {', '.join(choices)}.{hint}")


def benchmark_of(wildcards):
    """The settings of the benchmark that the wildcards name."""
    name = configured("benchmark", wildcards.benchmark, list(SETTINGS.benchmarks))
    return SETTINGS.benchmarks[name]


def target_of(wildcards, language):
    """`language`, if the benchmark that the wildcards name has it as a target."""
    languages = benchmark_of(wildcards).languages
    return configured(f"language for {wildcards.benchmark}", language, languages)


def corpus_of(language):
    """The settings of a language's corpus."""
    return SETTINGS.corpora[configured("corpus", language, list(SETTINGS.corpora))]


def base_model_source(wildcards):
    """Where the base model that the wildcards name comes from."""
    name = configured("base model", wildcards.base, list(SETTINGS.base_models))
    return SETTINGS.base_models[name].source


def input_files(source, language=""):
    """What a source reads: the user's own files, so that an edited one makes its step stale, or a download."""
    if source.kind in ("hub", "github"):
        return [str(download_of(source, language))]
    return [
        str(file)
        for path in map(Path, local_paths(source, language))
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.is_file()
    ]


def models_on_hub():
    """Name of the download -> where it comes from, for every base model, language and task SFT on the hub."""
    sources = [model.source for model in SETTINGS.base_models.values()]
    sources += SETTINGS.language_sft.values()
    sources += [SETTINGS.teacher[task].task_sft for task in published_tasks()]
    return {model_folder(source).name: source for source in sources if source.kind == "hub"}


def examples_used():
    """Every source of labelled examples with the language in which it is used."""
    for task, section in SETTINGS.teacher.items():
        for language in SETTINGS.teacher_languages(task):
            yield from ((data, language) for data in (section.train, section.validation))
    for benchmark in SETTINGS.benchmarks.values():
        yield from ((benchmark.test_in(language, SOURCE), language) for language in (SOURCE, *benchmark.languages))


@cache
def datasets_on_hub():
    """Name of the download -> where it comes from, for every split of a data set on the hub."""
    uses = [*((corpus.source, language) for language, corpus in SETTINGS.corpora.items()), *examples_used()]
    return {
        dataset_folder(source, language).name: filled_in(source, language)
        for source, language in uses
        if source.kind == "hub"
    }


def configured_file(wildcards):
    """Where the file of that name comes from on GitHub, and the language that it is in."""
    files = {
        file_folder(source, language).name: (source, language)
        for source, language in examples_used()
        if source.kind == "github"
    }
    return files[configured("file on GitHub called", wildcards.download, list(files))]


def configured_download(kind, name, downloads):
    """Where the download of that name comes from."""
    return downloads[configured(f"{kind} on the hub called", name, list(downloads))]


def download_of(source, language):
    """Folder of the download that a source on the hub or GitHub reads."""
    if isinstance(source, GithubExamples):
        return file_folder(source, language)
    return model_folder(source) if isinstance(source, HubModel) else dataset_folder(source, language)


def test_source(wildcards):
    """Where the test data of the benchmark and language that the wildcards name come from."""
    return benchmark_of(wildcards).test_in(wildcards.language, SOURCE)


def base_model_of(wildcards):
    """Folder of the benchmark's base model."""
    return f"results/base_models/{benchmark_of(wildcards).base_model}"


def counts_of(wildcards, language):
    """Token counts of the benchmark's base model in a language's corpus."""
    return f"results/counts/{benchmark_of(wildcards).base_model}_{language}.parquet"


def seed_for(*examples):
    """The global seed where one of the sources of examples is generated; what is only read depends on none."""
    return {"seed": SETTINGS.seed if any(source.kind == "miniature" for source in examples) else 0}


def source_params(source):
    """What decides which examples are read of a source; checksums are the download's business."""
    return canonical(source.model_dump(exclude={"sha256"}))


def base_model_params(wildcards):
    """Where a base model comes from; the shipped one's checksum stands for files that are no inputs."""
    source = base_model_source(wildcards)
    shipped = {"sha256": sha256_of(MINIATURE / "model.safetensors")} if source.kind.startswith("miniature") else {}
    return {"source": canonical(downloaded_part(source) if source.kind == "hub" else source), **shipped}


def student_of(wildcards, target):
    """Folder of the phase-1 student that a benchmark's base model and a target language name."""
    return f"results/students/{benchmark_of(wildcards).base_model}_{SOURCE}-{target}"


def vocabulary_of(wildcards, target):
    """Folder of the bilingual vocabulary, likewise."""
    return f"results/vocabularies/{benchmark_of(wildcards).base_model}_{SOURCE}-{target}"


def teacher_of(wildcards):
    """Folder of the benchmark's task teacher, shared by all of its target languages."""
    benchmark = benchmark_of(wildcards)
    return f"results/teachers/{benchmark.base_model}_{benchmark.task}_{SOURCE}"


def language_sft_of(base, language):
    """File or folder of the sparse fine-tuning that adapts a base model to a language; none where none is configured."""
    chosen = SETTINGS.language_sft.get(language)
    if chosen is None:
        return []
    if chosen.kind == "train":
        return f"results/language_sfts/{base}_{language}.safetensors"
    return sft_path(chosen)


def sft_path(source):
    """File or folder of a sparse fine-tuning that others have made."""
    return str(model_folder(source)) if source.kind == "hub" else source.path


def published_tasks():
    """The tasks whose teachers come from a published sparse fine-tuning."""
    return [task for task, section in SETTINGS.teacher.items() if section.task_sft is not None]


def fine_tuned_tasks():
    """The tasks whose teachers are fine-tuned."""
    return [task for task, section in SETTINGS.teacher.items() if section.fine_tuning is not None]


def one_of(names):
    """What a wildcard may be that is one of `names`; of none, nothing."""
    return "|".join(names) or "(?!)"


def trained_language_sft():
    """How language SFTs are trained."""
    if SETTINGS.train_language_sft is None:
        raise WorkflowError("The configuration has no section train_language_sft, which says how they are trained.")
    return SETTINGS.train_language_sft


def task_modules(task):
    """The modules that describe one task."""
    return f"bistil_core.tasks.{task}", f"bistil_core.data.formats.{task}"


def family_modules(base):
    """The module that describes a base model's family, as far as the configuration tells which that is."""
    source = SETTINGS.base_models[configured("base model", base, list(SETTINGS.base_models))].source
    shipped = dict.fromkeys(("miniature", "miniature_with_indonesian"), MINIATURE)
    folder = {**shipped, "folder": Path(getattr(source, "path", ""))}.get(source.kind)
    model_type = read_json(folder / "config.json").get("model_type") if folder else source.model_type
    return (family_module(model_type),) if model_type else ()


def base_source_module(base):
    """The module that reads or makes a base model, whatever its kind of source."""
    source = SETTINGS.base_models[configured("base model", base, list(SETTINGS.base_models))].source
    return f"bistil_core.models.base_sources.{source.kind}"


def text_source_module(kind):
    """The module that reads or generates text of one kind."""
    return f"bistil_core.data.text_sources.{kind}"


def example_modules(source, task):
    """The modules that read or generate labelled examples of one task."""
    modules = (f"bistil_core.data.example_sources.{source.kind}", f"bistil_core.data.formats.{task}")
    return (*modules, f"bistil_core.miniature.examples.{task}") if source.kind == "miniature" else modules


def training_data_of(wildcards):
    """Folder of the benchmark's training data in the source language."""
    return f"results/tasks/{benchmark_of(wildcards).task}_{SOURCE}"


def source_languages(wildcards):
    """The languages that a task's teacher is fine-tuned on, that of the wildcards first."""
    return [wildcards.source, *SETTINGS.teacher_languages(wildcards.task)[1:]]


def learnt_from(wildcards):
    """A teacher's training data, in the order of its languages, and their sparse fine-tunings."""
    languages = source_languages(wildcards)
    adapted = {f"language_sft_{language}": language_sft_of(wildcards.base, language) for language in languages}
    return {
        "data": [f"results/tasks/{wildcards.task}_{language}" for language in languages],
        **{name: sft for name, sft in adapted.items() if sft},
    }


def teacher_settings(wildcards):
    """How the task's teacher is fine-tuned."""
    return SETTINGS.teacher[wildcards.task].fine_tuning


def phase2_settings(wildcards):
    """How the benchmark's task is distilled."""
    return SETTINGS.phase2[benchmark_of(wildcards).task]


def evaluated(wildcards):
    """The folder, and for a student the sparse fine-tuning, of the system that is scored."""
    if wildcards.system == "teacher":
        base = benchmark_of(wildcards).base_model
        worn = language_sft_of(base, wildcards.language)
        # The teacher as it was trained has the source language's SFT: others take its place (theta + phi_T + phi_task).
        if worn == language_sft_of(base, SOURCE):
            return {"model": teacher_of(wildcards)}
        return {"model": base_model_of(wildcards), "teacher": teacher_of(wildcards), "language_sft": worn}
    target = target_of(wildcards, wildcards.system.removeprefix("student-"))
    return {
        "model": student_of(wildcards, target),
        "sft": f"results/sft/{wildcards.benchmark}_{target}.safetensors",
    }


def evaluations(wildcards, system):
    """The files of one system's scores: in the source language, then in the target language."""
    return [
        f"results/evaluations/{wildcards.benchmark}_{language}_{system}.json"
        for language in (SOURCE, wildcards.language)
    ]


def max_length(wildcards):
    """Tokens per example."""
    return {"max_length": SETTINGS.max_length(benchmark_of(wildcards).task)}


def scoring_settings():
    """What decides scores, of the `evaluate` section."""
    return canonical(SETTINGS.evaluate.model_dump(exclude={"speed_repeats", "speed_length"}))


def timing_settings():
    """What decides timings, of the `evaluate` section."""
    return canonical(SETTINGS.evaluate.model_dump(include={"speed_repeats", "speed_length"}))


def languages_behind(wildcards):
    """The languages that one result stands on: source and target, and the teacher's others."""
    others = SETTINGS.teacher_languages(benchmark_of(wildcards).task)[1:]
    return list(dict.fromkeys((SOURCE, wildcards.language, *others)))


def trained_language_sfts(wildcards):
    """The languages whose SFTs are trained here, of those that one result stands on."""
    chosen = {language: SETTINGS.language_sft.get(language) for language in languages_behind(wildcards)}
    return [language for language, sft in chosen.items() if sft and sft.kind == "train"]


def corpora_behind(wildcards):
    """The languages whose corpora had a part in one result."""
    return list(dict.fromkeys((SOURCE, wildcards.language, *trained_language_sfts(wildcards))))


def part_in_result(wildcards):
    """The configuration values that had a part in one result, and no others."""
    whole = SETTINGS.model_dump()
    benchmark = benchmark_of(wildcards)

    def only(section, *names):
        return {name: whole[section][name] for name in names}

    part = {name: whole[name] for name in ("experiment", "source_language", "seed", "trim", "phase1", "evaluate")}
    sfts = {name: sft for name, sft in whole["language_sft"].items() if name in languages_behind(wildcards)}
    if sfts:
        part["language_sft"] = sfts
        if trained_language_sfts(wildcards):
            part["train_language_sft"] = whole["train_language_sft"]
    part["base_models"] = only("base_models", benchmark.base_model)
    part["corpora"] = only("corpora", *corpora_behind(wildcards))
    part["teacher"] = only("teacher", benchmark.task)
    part["phase2"] = only("phase2", benchmark.task)
    part["benchmarks"] = only("benchmarks", wildcards.benchmark)
    part["benchmarks"][wildcards.benchmark]["languages"] = [wildcards.language]
    return canonical(part)


def code_behind_result(wildcards):
    """The digests of all steps that led to one result."""
    benchmark = benchmark_of(wildcards)
    languages = (SOURCE, wildcards.language)
    learnt = SETTINGS.teacher[benchmark.task]
    labelled = (learnt.train, learnt.validation, *(benchmark.test_in(language, SOURCE) for language in languages))
    chosen = (
        *task_modules(benchmark.task),
        *family_modules(benchmark.base_model),
        base_source_module(benchmark.base_model),
        *sorted({text_source_module(corpus_of(language).source.kind) for language in corpora_behind(wildcards)}),
        *sorted(set().union(*(example_modules(data, benchmark.task) for data in labelled))),
    )
    steps = (*STEPS, "compose_teacher" if benchmark.task in published_tasks() else "fine_tune_teacher")
    if trained_language_sfts(wildcards):
        steps += ("train_language_sft",)
    return {module: digest for step in steps for module, digest in code_of(step, *chosen).items()}


def seconds_taken(wildcards):
    """Output -> the seconds that the step took which made it, as Snakemake noted them."""
    noted = {step.output: workflow.persistence.metadata(IOFile(step.output)) for step in steps_of(SETTINGS, Sizes())}
    return {
        output: record.endtime - record.starttime
        for output, record in noted.items()
        if record is not None and record.endtime and Path(output).exists()
    }
