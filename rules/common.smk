"""The configuration, checked once, and what the rules say with it."""

import difflib
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.resources import Resource

from bistil_core.errors import BistilError
from bistil_core.settings.canonical import canonical, seed_of
from bistil_core.settings.loading import load_configuration
from bistil_core.staleness import code_digest
from bistil_core.threads import usable_cpus

try:
    SETTINGS = load_configuration(config)
except BistilError as error:
    raise WorkflowError(str(error)) from None

SOURCE = SETTINGS.source_language


wildcard_constraints:
    base=r"[A-Za-z0-9._]+",
    benchmark=r"[a-z0-9]+",
    language=r"[A-Za-z0-9]+",
    source=r"[A-Za-z0-9]+",
    system=r"teacher|student-[A-Za-z0-9]+",
    target=r"[A-Za-z0-9]+",
    task=r"[a-z0-9]+",


if workflow.local_exec:
    # `--cores 8` is typed on two cores, too: more jobs or threads than CPUs slow every one of them down.
    usable = min(workflow.cores, usable_cpus())
    workflow.global_resources["_cores"] = Resource("_cores", usable)


def training_threads():
    """Half of the cores: the teacher and phase 1 do not wait for each other, so they share the machine."""
    return max(1, workflow.cores // 2) if workflow.local_exec else 4


def code_of(rule, *chosen):
    """The digest of all code that decides what a rule writes: its script and the core modules that it reaches.

    `chosen` are the modules in use of packages that hold alternatives: without it all of them count.
    """
    digest = code_digest(*chosen, f"{workflow.basedir}/workflow_scripts/{rule}.py")
    # What a step tells those who watch it has no part in what it writes.
    digest.pop("bistil_core.progress", None)
    return digest


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


def local_files(key, *paths):
    """The user's own files below `paths`, as inputs, so that an edited file makes its step stale."""
    missing = [path for path in paths if not Path(path).exists()]
    if missing:
        raise WorkflowError(
            f"{key}: there is no file or folder {', '.join(missing)} (from {Path.cwd()}); "
            "correct the path in the configuration, or put the file there"
        )
    return [
        str(file)
        for path in map(Path, paths)
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.is_file()
    ]


def example_files(key, source, language):
    """The file of labelled examples that `source` names for a language; none if they are generated."""
    return local_files(key, source.path.format(language=language)) if source.kind == "files" else []


def base_model_files(wildcards):
    """The files of the user's that a base model is made from."""
    source = base_model_source(wildcards)
    key = f"base_models.{wildcards.base}.source"
    match source.kind:
        case "folder":
            return local_files(f"{key}.path", source.path)
        case "random":
            return local_files(f"{key}.tokenizer", source.tokenizer)
    return []


def base_model_of(wildcards):
    """Folder of the benchmark's base model."""
    return f"results/base_models/{benchmark_of(wildcards).base_model}"


def counts_of(wildcards, language):
    """Token counts of the benchmark's base model in a language's corpus."""
    return f"results/counts/{benchmark_of(wildcards).base_model}_{language}.parquet"


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


def task_modules(task):
    """The modules that describe one task."""
    return f"bistil_core.tasks.{task}", f"bistil_core.data.formats.{task}"


def source_module(kind):
    """The module that reads or generates data of one kind."""
    return f"bistil_core.data.sources.{kind}"


def training_data_of(wildcards):
    """Folder of the benchmark's training data in the source language."""
    return f"results/tasks/{benchmark_of(wildcards).task}_{SOURCE}"


def report_results():
    """Name the results that lie there, so that nobody must look for them."""
    for result in sorted(Path("results").glob("*_*.json")):
        if not result.name.endswith(".speed.json"):
            print(f"Result: {result}", file=sys.stderr)


def report_failures(master_log):
    """Say which log tells why, for every step that failed."""
    text = Path(master_log).read_text(errors="replace")
    for rule, path in re.findall(r"Error in rule (\w+):(?:(?!Error in rule).)*?\n\s*log: (\S+)", text, re.DOTALL):
        print(f"{rule} failed: open {path} to see why.", file=sys.stderr)
