"""What one part of the configuration must know of another, checked on the raw values.

Raw, because these problems are reported together with those of the schema: parts of the wrong type are passed
over here, the schema speaks of them.
"""

import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bistil_core.settings.problems import did_you_mean, problem

_FILE_NAME_PARTS = {
    "base_models": (re.compile(r"[A-Za-z0-9._]+"), "letters, digits, . and _"),
    "corpora": (re.compile(r"[A-Za-z0-9]+"), "letters and digits"),
    "benchmarks": (re.compile(r"[a-z0-9]+"), "lower-case letters and digits"),
}


def known_tasks() -> list[str]:
    """The tasks that the package knows: the modules of bistil_core/tasks, not imported, for they load torch."""
    return sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parents[1] / "tasks")]))


def cross_checks(values: dict[str, Any]) -> Iterator[str]:
    """A line for every contradiction between two parts of the configuration."""
    source_language = values.get("source_language", "en")
    yield from _names(values)
    yield from _tasks(values)
    if isinstance(source_language, str):
        yield from _listed("source_language", source_language, values, "corpora")
        for name, benchmark in _mappings(values, "benchmarks"):
            yield from _benchmark(f"benchmarks.{name}", benchmark, source_language, values)
        yield from _miniature(values, source_language)
    yield from _language_sfts(values)
    yield from _teachers(values)
    yield from _several_languages(values, source_language)
    yield from _synthetic(values)
    yield from _names_by_language(values, source_language)


def _names(values: dict[str, Any]) -> Iterator[str]:
    for section, (pattern, allowed) in _FILE_NAME_PARTS.items():
        for name, _ in _mappings(values, section):
            if not pattern.fullmatch(name):
                yield problem(f"{section}.{name}", f"found {name!r}", allowed, "rename it: it is part of file names")


def _tasks(values: dict[str, Any]) -> Iterator[str]:
    tasks = known_tasks()
    for section in ("teacher", "phase2"):
        for task, _ in _mappings(values, section):
            if task not in tasks:
                fix = did_you_mean(task, tasks) or "remove it"
                yield problem(f"{section}.{task}", "unknown task", ", ".join(tasks), fix)
    for name, benchmark in _mappings(values, "benchmarks"):
        task, key = benchmark.get("task"), f"benchmarks.{name}.task"
        if not isinstance(task, str):
            continue
        if task not in tasks:
            yield problem(key, f"found {task!r}", ", ".join(tasks), did_you_mean(task, tasks) or "choose a known task")
            continue
        for section in ("teacher", "phase2"):
            yield from _listed(key, task, values, section)


def _benchmark(key: str, benchmark: dict[str, Any], source_language: str, values: dict[str, Any]) -> Iterator[str]:
    if isinstance(benchmark.get("base_model"), str):
        yield from _listed(f"{key}.base_model", benchmark["base_model"], values, "base_models")
    languages = _texts(benchmark.get("languages"))
    for language in sorted(set(languages)):
        if language == source_language:
            fix = "take it out: its scores come with every target language"
            yield problem(f"{key}.languages", f"found the source language {language!r}", "target languages", fix)
        else:
            yield from _listed(f"{key}.languages", language, values, "corpora")
        if languages.count(language) > 1:
            yield problem(f"{key}.languages", f"{language!r} more than once", "each language once", "keep one")
    test = _mapping(benchmark.get("test"))
    fix = "put {language} where the language's code stands"
    path = test.get("path")
    if isinstance(path, str) and "{language}" not in path:
        yield problem(f"{key}.test.path", f"found {path!r}", "a path with {language}, a file per language", fix)
    by_language = isinstance(test.get("name"), dict)
    if test.get("kind") == "hub" and not by_language and "{language}" not in f"{test.get('name')} {test.get('split')}":
        allowed = "a name or a split with {language}, data per language"
        yield problem(f"{key}.test.name", f"found {test.get('name')!r}", allowed, fix)


def _language_sfts(values: dict[str, Any]) -> Iterator[str]:
    chosen = _mapping(values.get("language_sft"))
    for language, sft in chosen.items():
        key, train = f"language_sft.{language}", {"kind": "train"}
        taught = (_texts(section.get("languages")) for _, section in _mappings(values, "teacher"))
        if sft in ("train", train) or not any(language in languages for languages in taught):
            yield from _listed(key, language, values, "corpora")
        if sft in ("train", train) and values.get("train_language_sft") is None:
            fix = "add train_language_sft, which says how"
            yield problem(key, "found train without train_language_sft", "train with that section", fix)
        bases = list(_mapping(values.get("base_models")))
        if sft not in ("train", train) and len(bases) > 1:
            found = f"one published sparse fine-tuning for the base models {', '.join(bases)}"
            yield problem(key, found, "train, or a single base model", "make an experiment file per base model")


def _teachers(values: dict[str, Any]) -> Iterator[str]:
    """Lines for teachers that are neither fine-tuned nor published or both, and for published ones that cannot fit."""
    for task, section in _mappings(values, "teacher"):
        key, task_sft = f"teacher.{task}", section.get("task_sft")
        if (section.get("fine_tuning") is None) == (task_sft is None):
            found = "neither fine_tuning nor task_sft" if task_sft is None else "both fine_tuning and task_sft"
            yield problem(key, found, "one of them", "say how the teacher is fine-tuned, or which task SFT it is")
        if task_sft is None:
            continue
        chosen = [benchmark for _, benchmark in _mappings(values, "benchmarks") if benchmark.get("task") == task]
        bases = sorted(
            {benchmark["base_model"] for benchmark in chosen if isinstance(benchmark.get("base_model"), str)}
        )
        if len(bases) > 1:
            found = f"one published sparse fine-tuning for the base models {', '.join(bases)}"
            yield problem(f"{key}.task_sft", found, "a single base model", "make an experiment file per base model")
        labels = _mapping(task_sft).get("labels")
        if labels is not None and task in known_tasks():
            yield from _labels(f"{key}.task_sft.labels", _texts(labels), task)


def _several_languages(values: dict[str, Any], source_language: Any) -> Iterator[str]:
    """Lines for teachers of several languages whose data or whose list of them cannot be."""
    for task, section in _mappings(values, "teacher"):
        key, languages = f"teacher.{task}.languages", _texts(section.get("languages"))
        if section.get("languages") is None:
            continue
        if source_language not in languages or len(set(languages)) != len(languages):
            fix = f"list {source_language} and the others once each, or leave the key out"
            yield problem(key, f"found {languages}", f"languages with the source language {source_language}", fix)
        if section.get("task_sft") is not None:
            yield problem(key, "found with task_sft, which is not trained", "languages with fine_tuning", "remove it")
        for part in ("train", "validation") if len(languages) > 1 else ():
            source = _mapping(section.get(part))
            places = [source.get(name) for name in ("path", "name", "split")]
            named = any(isinstance(place, dict) or "{language}" in str(place) for place in places)
            if not named and not _is_miniature(source):
                found = f"the same data for {', '.join(languages)}"
                fix = "put {language} where the language's code stands"
                yield problem(f"teacher.{task}.{part}", found, "data per language", fix)


def _source_languages(section: dict[str, Any], source_language: Any) -> list[Any]:
    return [source_language, *(each for each in _texts(section.get("languages")) if each != source_language)]


def _labels(key: str, labels: list[str], task: str) -> Iterator[str]:
    # Only now: formats load pyarrow.
    from bistil_core.data.formats import format_of

    ours = format_of(task).labels
    if not ours:
        yield problem(key, f"labels for {task}, whose head has none", "no labels", "remove them")
    elif missing := [label for label in ours if labels.count(label) != 1]:
        found = f"{', '.join(labels) or 'none'}; {missing[0]} is not there once"
        yield problem(key, found, f"each of {', '.join(ours)} once", "list them in the order of the head's rows")


def _listed(key: str, name: str, values: dict[str, Any], section: str) -> Iterator[str]:
    """A line where `section` is there but has no entry `name`."""
    if not isinstance(values.get(section), dict) or name in values[section]:
        return
    entries = [str(entry) for entry in values[section]]
    fix = did_you_mean(name, entries) or f"add {section}.{name}"
    yield problem(key, f"found {name!r}", f"the entries of {section} ({', '.join(entries) or 'none'})", fix)


def _miniature(values: dict[str, Any], source_language: str) -> Iterator[str]:
    """Lines for languages and tasks that the miniature is asked for and does not have."""
    uses = [
        (f"corpora.{name}.source", corpus.get("source"), [name], None) for name, corpus in _mappings(values, "corpora")
    ]
    for task, section in _mappings(values, "teacher"):
        uses += [
            (f"teacher.{task}.{part}", section.get(part), _source_languages(section, source_language), task)
            for part in ("train", "validation")
        ]
    for name, benchmark in _mappings(values, "benchmarks"):
        languages = [source_language, *_texts(benchmark.get("languages"))]
        uses.append((f"benchmarks.{name}.test", benchmark.get("test"), languages, benchmark.get("task")))
    uses = [use for use in uses if _is_miniature(use[1])]
    if not uses:
        return

    # Only now: it loads the generator, which a real experiment does not need.
    from bistil_core.miniature.examples import generated_tasks
    from bistil_core.miniature.languages import LANGUAGES

    for key, _, languages, task in uses:
        for language in languages:
            if language not in LANGUAGES:
                fix = "give files of your own (kind: files)"
                yield problem(key, f"the miniature has no language {language!r}", ", ".join(LANGUAGES), fix)
        if task in known_tasks() and task not in generated_tasks():
            fix = "give files of your own (kind: files)"
            yield problem(key, f"the miniature has no task {task!r}", ", ".join(generated_tasks()), fix)


def _names_by_language(values: dict[str, Any], source_language: Any) -> Iterator[str]:
    """Lines for languages that a data set's `name` leaves out, where it gives one by language."""
    uses = [
        (f"teacher.{task}.{part}", section.get(part), _source_languages(section, source_language))
        for task, section in _mappings(values, "teacher")
        for part in ("train", "validation")
    ]
    for name, benchmark in _mappings(values, "benchmarks"):
        own = [] if benchmark.get("source_test") else [source_language]
        uses.append((f"benchmarks.{name}.test", benchmark.get("test"), [*own, *_texts(benchmark.get("languages"))]))
        uses.append((f"benchmarks.{name}.source_test", benchmark.get("source_test"), [source_language]))
    for key, source, languages in uses:
        names = _mapping(source).get("name")
        if isinstance(names, dict):
            for language in languages:
                if isinstance(language, str) and language not in names:
                    found = f"no configuration of the data set for {language!r}"
                    yield problem(f"{key}.name", found, "one for each language", f"add {language}: ...")


def _synthetic(values: dict[str, Any]) -> Iterator[str]:
    if _mapping(values.get("experiment")).get("synthetic") is not False:
        return
    sections = [section.get("source") for _, section in _mappings(values, "corpora")]
    sections += [section.get(part) for _, section in _mappings(values, "teacher") for part in ("train", "validation")]
    sections += [
        section.get(part) for _, section in _mappings(values, "benchmarks") for part in ("test", "source_test")
    ]
    if any(map(_is_miniature, sections)):
        found, allowed = "found False with data of the miniature", "true where any data is made up"
        yield problem("experiment.synthetic", found, allowed, "set it to true, or use real data throughout")


def _is_miniature(source: Any) -> bool:
    return _mapping(source).get("kind") == "miniature"


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(values: dict[str, Any], section: str) -> list[tuple[str, dict[str, Any]]]:
    entries = _mapping(values.get(section)).items()
    return [(name, value) for name, value in entries if isinstance(name, str) and isinstance(value, dict)]


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
