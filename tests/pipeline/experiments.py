"""Experiments that between them set every key of the configuration, and what a dry run of one says."""

import copy
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bistil_core.settings.loading import load_configuration
from bistil_core.settings.schema import Node, configuration_schema, resolve
from tests.pipeline.conftest import REPOSITORY, Workspace, configuration

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FINE_TUNING = {
    "density": 0.1, "dense_epochs": 1, "sparse_epochs": 1, "batch_size": 16, "learning_rate": 1.0e-3, "max_length": 48,
}  # fmt: skip
TRAINED_SFTS = {
    "learning_rate": 1.0e-3, "batch_size": 2, "block_length": 16, "minimum_steps": 2, "maximum_steps": 2,
}  # fmt: skip


def of_every_kind() -> dict:
    """Four benchmarks, each with data and a base model of another kind; what belongs to one carries its name."""

    def examples(task: str, part: str) -> dict:
        return {
            "nli": {"kind": "miniature", "examples": 20},
            "ner": {"kind": "github", "repository": "owner/ner", "commit": COMMIT, "path": f"{{language}}/{part}.txt"},
            "dp": {"kind": "files", "path": "dp-{language}.conllu"},
            "qa": {
                "kind": "hub", "repository": "owner/qa", "name": "{language}", "split": part, "revision": COMMIT,
            },
        }[task]  # fmt: skip

    tasks = ("nli", "ner", "dp", "qa")
    return {
        **configuration(),
        "base_models": {
            "nli": {"source": {"kind": "miniature"}},
            "ner": {"source": {"kind": "hub", "repository": "owner/ner", "revision": COMMIT, "model_type": "bert"}},
            "dp": {"source": {"kind": "folder", "path": "model-dp"}},
            "qa": {"source": {"kind": "random", "model_type": "xlm-roberta", "tokenizer": "tokenizer-qa"}},
        },
        "corpora": {
            "en": {"source": {"kind": "hub", "repository": "owner/en", "revision": COMMIT}},
            "sw": {"source": {"kind": "files", "paths": ["sw.txt"]}},
            "tr": {"source": {"kind": "miniature", "documents": 30}},
        },
        "language_sft": {"sw": "train"},
        "train_language_sft": TRAINED_SFTS,
        "teacher": {
            task: {
                "train": examples(task, "train"),
                "validation": examples(task, "validation"),
                "fine_tuning": FINE_TUNING,
            }
            for task in tasks
        },
        "phase2": dict.fromkeys(tasks, FINE_TUNING),
        "benchmarks": {
            task: {
                "task": task, "base_model": task, "languages": ["sw", "tr"], "test": examples(task, "test"),
                "source_test": examples(task, "own"),
            }
            for task in tasks
        },
    }  # fmt: skip


def with_published_sfts() -> dict:
    """One base model of the hub with language SFTs and teachers that others made."""
    experiment = of_every_kind()
    experiment["base_models"] = {"ner": experiment["base_models"]["ner"]}
    for section in ("teacher", "phase2", "benchmarks"):
        experiment[section] = {task: experiment[section][task] for task in ("ner", "dp")}
    experiment["benchmarks"]["dp"]["base_model"] = "ner"
    for task, source in (
        ("ner", {"kind": "hub", "repository": "owner/task-ner", "revision": COMMIT}),
        ("dp", {"kind": "file", "path": "sft-dp.safetensors"}),
    ):
        experiment["teacher"][task] = {part: experiment["teacher"][task][part] for part in ("train", "validation")} | {
            "task_sft": source
        }
    experiment["language_sft"] = {
        "tr": {"kind": "hub", "repository": "owner/tr", "revision": COMMIT},
        "sw": {"kind": "file", "path": "sft-sw.safetensors"},
    }
    return experiment


def write_user_files(folder: Path) -> None:
    """The user's own files that the experiments name, and others that a test may change to."""
    for name in ("model-dp", "other-dp"):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(json.dumps({"model_type": "bert"}))
    for name in ("tokenizer-qa", "other-qa"):
        (folder / name).write_text(name)
    for name in (
        "sw.txt",
        "other-sw.txt",
        "sft-sw.safetensors",
        "other-sw.safetensors",
        "sft-dp.safetensors",
        "other-dp.safetensors",
    ):
        (folder / name).write_text(name)
    for language in ("en", "sw", "tr"):
        for name in ("dp", "other-dp"):
            (folder / f"{name}-{language}.conllu").write_text(language)


def copy_of_repository(folder: Path) -> Path:
    """A copy of the code in a folder, which a test may edit."""
    for part in ("rules", "workflow_scripts", "bistil_core", "profiles", "envs"):
        shutil.copytree(REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("Snakefile", "config.yaml"):
        shutil.copy(REPOSITORY / part, folder / part)
    return folder


@contextmanager
def replaced(file: Path, old: str, new: str) -> Iterator[None]:
    """A file with other text, within the block."""
    before = file.read_text()
    assert old in before
    file.write_text(before.replace(old, new))
    try:
        yield
    finally:
        file.write_text(before)


def pretend_finished(workspace: Workspace) -> None:
    """Lay an empty file or folder where each output belongs, and have Snakemake take them for today's.

    What makes a step stale can be asked without the hours, networks and models that it would take to run it.
    """
    for line in workspace.snakemake(summary=True).stdout.splitlines():
        if line.startswith("results/"):
            made = workspace.folder / line.split("\t")[0]
            made.parent.mkdir(parents=True, exist_ok=True)
            made.touch() if made.suffix in (".json", ".parquet", ".safetensors") else made.mkdir()
    run = workspace.snakemake(touch=True, forceall=True)
    assert run.returncode == 0, run.stdout


@dataclass(frozen=True)
class Job:
    """A job that a dry run lists: its rule, the values of its wildcards, and why it would run."""

    rule: str
    wildcards: tuple[str, ...]
    reason: str

    @property
    def stale_itself(self) -> bool:
        """Whether it would run even if no job before it did."""
        return any(not part.startswith("Input files updated by another job") for part in self.reason.split("; "))

    def mentions(self, name: str) -> bool:
        """Whether a wildcard's value has this name as a word."""
        return any(name in re.split(r"[^A-Za-z0-9]+", value) for value in self.wildcards)


def stale_jobs(workspace: Workspace, *targets: str) -> list[Job]:
    """The jobs that a dry run lists, without those that only gather targets."""
    run = workspace.snakemake(*targets, dry_run=True)
    assert run.returncode == 0, run.stdout
    listed = re.findall(r"^Job \d+: (.*)\nReason: (.*)$", run.stdout, re.MULTILINE)
    return [_job(message, reason) for message, reason in listed if message != messages()["all"]]


def _job(message: str, reason: str) -> Job:
    """The job that announces itself with this message."""
    for rule, template in messages().items():
        pattern = re.sub(r"\\{wildcards\\.\w+\\}", r"(\\S+)", re.escape(template))
        if match := re.fullmatch(pattern, message):
            return Job(rule, match.groups(), reason)
    raise AssertionError(f"no rule has the message {message!r}")


@cache
def messages() -> dict[str, str]:
    """By rule the message that its jobs announce themselves with."""
    code = "".join(path.read_text() for path in [REPOSITORY / "Snakefile", *(REPOSITORY / "rules").glob("*.smk")])
    return dict(re.findall(r"^rule (\w+):\n(?:(?!rule ).*\n)*?    message:\n        \"(.*)\"$", code, re.MULTILINE))


def schema_keys() -> list[str]:
    """Every key that config.yaml may hold: * stands for a name, (kind) for one of several kinds of sections."""
    root = configuration_schema()
    return list(dict.fromkeys(_keys(root, root, "")))


def _keys(node: Node, root: Node, path: str) -> Iterator[str]:
    node = resolve(node, root)
    if "discriminator" in node:
        yield path
        for kind, reference in node["discriminator"]["mapping"].items():
            yield from _properties(resolve({"$ref": reference}, root), root, f"{path}({kind})")
    elif "anyOf" in node:
        for alternative in node["anyOf"]:
            if alternative.get("type") != "null":
                yield from _keys(alternative, root, path)
    elif "properties" in node:
        yield from _properties(node, root, path)
    elif _has_sections(node, root):
        yield from _keys(node["additionalProperties"], root, f"{path}.*")
    else:
        yield path


def _properties(node: Node, root: Node, path: str) -> Iterator[str]:
    for name, child in node["properties"].items():
        if name != "kind":
            yield from _keys(child, root, f"{path}.{name}".lstrip("."))


def _has_sections(node: Node, root: Node) -> bool:
    values = node.get("additionalProperties")
    if not isinstance(values, dict):
        return False
    alternatives = [resolve(each, root) for each in resolve(values, root).get("anyOf", [values])]
    return any("properties" in each or "discriminator" in each for each in alternatives)


def places(config: dict, key: str) -> list[list[str]]:
    """The paths in an experiment that a schema key stands for: of every name, where the kind is the key's."""
    paths: list[list[str]] = [[]]
    whole = json.loads(load_configuration(copy.deepcopy(config)).model_dump_json())
    for part in key.split("."):
        name, kind = re.fullmatch(r"(\w+|\*)(?:\((\w+)\))?", part).groups()
        paths = [[*path, each] for path in paths for each in _names(whole, path, name)]
        if kind:
            paths = [path for path in paths if (_at(whole, path) or {}).get("kind") == kind]
    return paths


def _names(tree: dict, path: list[str], name: str) -> list[str]:
    section = _at(tree, path)
    if not isinstance(section, dict):
        return []
    return list(section) if name == "*" else [name] * (name in section)


def _at(tree: dict, path: list[str]) -> Any:
    for name in path:
        tree = tree[name]
    return tree


def changed(config: dict, path: list[str], value: object) -> dict:
    """A copy of an experiment with another value at one path."""
    # Through JSON, so that no two keys share one dictionary.
    copied = json.loads(json.dumps(config))
    section = copied
    for name in path[:-1]:
        section = section.setdefault(name, {})
    section[path[-1]] = value
    return copied
