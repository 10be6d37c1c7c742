"""Why a step is stale, in words: what differs between the parameters that it ran with and those that it has now."""

import ast
from collections.abc import Iterable, Iterator
from typing import Any

_ABSENT = object()


def changes(before: Iterable[str], now: Iterable[str]) -> list[str]:
    """A line for each value that differs, such as "density: 0.3 -> 0.25".

    Args:
        before: representations of parameters (as `repr` gives them) that only the last run had.
        now: those that only the next one has.
    """
    old, new = ([_parsed(text) for text in sorted(texts)] for texts in (before, now))
    lines: list[str] = []
    for value in new:
        counterpart = _counterpart(value, old)
        if counterpart is not _ABSENT:
            old.remove(counterpart)
        lines.extend(_differences("", counterpart, value))
    for value in old:
        lines.extend(_differences("", value, _ABSENT))
    return lines


def _parsed(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _counterpart(value: Any, candidates: list[Any]) -> Any:
    """The candidate that is most likely the same parameter: of mappings the one with most keys in common."""
    if isinstance(value, dict):
        alike = [each for each in candidates if isinstance(each, dict) and each.keys() & value.keys()]
        return max(alike, key=lambda each: len(each.keys() & value.keys()), default=_ABSENT)
    return next((each for each in candidates if type(each) is type(value)), _ABSENT)


def _differences(path: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(f"{path}.{key}" if path else str(key), old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif old != new:
        yield f"{path}: {_shown(old)} -> {_shown(new)}" if path else f"{_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    return "nothing" if value is _ABSENT else str(value)
