"""The user's own files that a configuration names."""

from collections.abc import Iterator
from pathlib import Path

from bistil_core.settings.configuration import Configuration
from bistil_core.settings.language_sft import SftFile
from bistil_core.settings.sources import ExampleFiles, ModelFolder, RandomModel, TextFiles


def local_paths(source: object, language: str = "") -> list[str]:
    """Files and folders that a source of text, examples or models reads; `{language}` in them is filled in."""
    match source:
        case TextFiles(paths=paths):
            return paths
        case ExampleFiles(path=path):
            return [path.replace("{language}", language)]
        case ModelFolder(path=path) | RandomModel(tokenizer=path) | SftFile(path=path):
            return [path]
    return []


def missing_files(configuration: Configuration) -> list[str]:
    """A line for each configured path at which nothing lies: its key, the path and the remedy."""
    return [
        f"{key}: there is no file or folder {path} (from {Path.cwd()}); "
        "correct the path in the configuration, or put the file there"
        for key, path in _configured_paths(configuration)
        if not Path(path).exists()
    ]


def _configured_paths(configuration: Configuration) -> Iterator[tuple[str, str]]:
    source_language = configuration.source_language
    for name, model in configuration.base_models.items():
        key = "path" if isinstance(model.source, ModelFolder) else "tokenizer"
        yield from ((f"base_models.{name}.source.{key}", path) for path in local_paths(model.source))
    for language, corpus in configuration.corpora.items():
        yield from ((f"corpora.{language}.source.paths", path) for path in local_paths(corpus.source))
    for language, sft in configuration.language_sft.items():
        yield from ((f"language_sft.{language}.path", path) for path in local_paths(sft))
    for task, section in configuration.teacher.items():
        for part in ("train", "validation"):
            for language in configuration.teacher_languages(task):
                paths = local_paths(getattr(section, part), language)
                yield from ((f"teacher.{task}.{part}.path", path) for path in paths)
        yield from ((f"teacher.{task}.task_sft.path", path) for path in local_paths(section.task_sft))
    for name, benchmark in configuration.benchmarks.items():
        for language in (source_language, *benchmark.languages):
            source = benchmark.test_in(language, source_language)
            key = "test" if source is benchmark.test else "source_test"
            yield from ((f"benchmarks.{name}.{key}.path", path) for path in local_paths(source, language))
