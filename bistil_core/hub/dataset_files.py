"""Which Parquet files hold one configuration and split of a data set: as its card declares, or by the usual names."""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

import yaml

from bistil_core.errors import BistilError

# The card of a data set with a thousand languages has a header of many thousand lines: libyaml reads it in time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HEADER = re.compile(r"\A\ufeff?---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_WILD = re.compile(r"[*?\[]")
_SHOWN = 40

Patterns = dict[str, list[str]]
"""Split -> patterns of paths, in which * stands for anything but a slash and ** for anything."""


def card_configurations(card: str) -> dict[str, Patterns]:
    """Configuration -> split -> patterns, as the YAML header of a data set's card declares them; empty without.

    Declared files without a split are `train`. The configuration that the card marks as default comes first.
    """
    header = _HEADER.match(card)
    try:
        values = yaml.load(header[1], _LOADER) if header else None
    except yaml.YAMLError:
        return {}
    declared = values.get("configs") if isinstance(values, dict) else None
    entries = [entry for entry in declared or () if isinstance(entry, dict) and "data_files" in entry]
    entries.sort(key=lambda entry: entry.get("default") is not True)
    return {str(entry.get("config_name", "default")): _patterns(entry) for entry in entries}


def usual_patterns(name: str | None, split: str) -> list[str]:
    """Where the Parquet files of a split lie in data sets whose card declares none, likeliest first."""
    if name is None:
        return [f"data/{split}-*.parquet", f"{split}-*.parquet", f"{split}.parquet", f"{split}/*.parquet"]
    return [
        f"{name}/{split}-*.parquet",
        f"{name}/*{split}*.parquet",
        f"{name}/{split}/*.parquet",
        f"data/{name}/{split}/*.parquet",
        f"data/{name}/{split}-*.parquet",
    ]


def chosen_patterns(label: str, card: str, name: str | None, split: str) -> list[list[str]]:
    """Alternatives, each a list of patterns that belong together; the first that matches any file is meant.

    Raises:
        BistilError: the card declares configurations, and not this one or not this split of it.
    """
    configurations = card_configurations(card)
    if not configurations:
        return [[pattern] for pattern in usual_patterns(name, split)]
    if name is None:
        names = list(configurations)
        if len(names) > 1 and names[0] != "default" and not _marks_default(card):
            raise BistilError(f"{label}: `name` is needed; {configurations_of(names)}")
        name = "default" if "default" in configurations else names[0]
    if name not in configurations:
        raise BistilError(f"{label}: no configuration {name!r} (`name`); {configurations_of(configurations)}")
    splits = configurations[name]
    if split not in splits:
        raise BistilError(f"{label}: configuration {name!r} has no `split` {split!r}; it has: {', '.join(splits)}")
    return [splits[split]]


def matching(patterns: list[str], listing: Callable[[str, bool], Iterator[str]]) -> list[str]:
    """The Parquet files that any of the patterns names, sorted.

    Args:
        patterns: paths with wildcards.
        listing: (folder, whether with all folders below) -> the paths of the files in it.
    """
    found: set[str] = set()
    for pattern in patterns:
        folder, rest = _fixed_part(pattern)
        expression = _expression(pattern)
        found |= {
            path
            for path in listing(folder, "/" in rest or "**" in rest)
            if expression.fullmatch(path) and PurePosixPath(path).suffix == ".parquet"
        }
    return sorted(found)


def configurations_of(names: Any) -> str:
    """The configurations that there are, for a message; of very many the first."""
    names = list(names)
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"it has: {', '.join(names[:_SHOWN]) or 'none that can be told from its folders'}{more}"


def _patterns(entry: dict[str, Any]) -> Patterns:
    files = entry["data_files"]
    patterns: Patterns = {}
    for item in files if isinstance(files, list) else [files]:
        split, paths = (item.get("split", "train"), item.get("path", [])) if isinstance(item, dict) else ("train", item)
        for path in paths if isinstance(paths, list) else [paths]:
            folder = entry.get("data_dir")
            patterns.setdefault(str(split), []).append(f"{folder}/{path}" if folder else str(path))
    return patterns


def _marks_default(card: str) -> bool:
    return re.search(r"^\s+default:\s*true\s*$", _HEADER.match(card)[1], re.MULTILINE) is not None


def _fixed_part(pattern: str) -> tuple[str, str]:
    """The folder before the first wildcard, and what of the pattern comes after it."""
    wild = _WILD.search(pattern)
    folder = pattern[: wild.start() if wild else len(pattern)].rpartition("/")[0]
    return folder, pattern[len(folder) :].lstrip("/")


def _expression(pattern: str) -> re.Pattern[str]:
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", pattern)
    return re.compile("".join(piece if piece[:1] == "[" else parts.get(piece, re.escape(piece)) for piece in pieces))
