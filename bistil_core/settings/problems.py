"""What pydantic finds wrong with a configuration, in the words of whoever wrote it."""

import difflib
import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from bistil_core.settings.schema import Node, configuration_schema, describe, resolve

_EXPONENT = re.compile(r"([-+]?\d+(?:\.\d*)?)[eE]([-+]?)(\d+)")


def problem(key: str, found: str, allowed: str, fix: str) -> str:
    """One line of the report."""
    return f"{key}: {found}; allowed: {allowed}; {fix}"


def schema_problems(error: ValidationError, values: dict[str, Any]) -> list[str]:
    """A line for every key that breaks the schema: what was found, what is allowed, and the fix."""
    root = configuration_schema()
    lines: dict[str, str] = {}
    for detail in error.errors(include_url=False):
        keys, value, node = _located(detail["loc"], values, root)
        dotted = ".".join(map(str, keys))
        match detail["type"]:
            case "missing":
                lines[dotted] = problem(dotted, "missing", _allowed(node, root), "add it")
            case "extra_forbidden":
                lines[dotted] = unknown_key(dotted, list(node["properties"]))
            case "union_tag_not_found":
                lines[dotted] = problem(dotted, f"found {value!r}", describe(node, root), "add a kind")
            case "union_tag_invalid":
                kinds = sorted(node["discriminator"]["mapping"])
                found = problem(f"{dotted}.kind", f"found {value['kind']!r}", " or ".join(kinds), "{}")
                lines[dotted] = found.format(did_you_mean(str(value["kind"]), kinds) or "choose one of these")
            case _:
                allowed = _allowed(node, root)
                lines[dotted] = problem(dotted, f"found {value!r}", allowed, _fix(value, allowed))
    return list(lines.values())


def keys_not_text(values: Any, above: str = "") -> Iterator[str]:
    """A line for every key that YAML did not read as text: `no` as a language code is the classic one."""
    children = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in children:
        dotted = f"{above}.{key}".lstrip(".")
        if isinstance(values, dict) and not isinstance(key, str):
            yield problem(dotted, f"the key is read as {key!r}", "text", _QUOTE)
        yield from keys_not_text(value, dotted)


def unknown_key(dotted: str, allowed: list[str]) -> str:
    """The line for a key that does not exist, with its nearest neighbour."""
    fix = did_you_mean(dotted.rpartition(".")[2], allowed) or "remove it"
    return problem(dotted, "unknown key", ", ".join(allowed), fix)


def did_you_mean(name: str, choices: list[str]) -> str:
    """A question with the nearest of `choices`; empty where none is near."""
    near = difflib.get_close_matches(name, choices, n=1)
    return f"did you mean {near[0]}?" if near else ""


def _located(location: tuple[str | int, ...], values: dict[str, Any], root: Node) -> tuple[list[str | int], Any, Node]:
    """The keys, the value and the schema that pydantic's location stands for.

    Pydantic puts the alternative of a union between the keys. Where `kind` tells the alternatives apart it is
    followed, beside a short form or null, too; for other unions the key of the whole is the one to report. An unknown
    key leaves the schema of the mapping that holds it.
    """
    keys: list[str | int] = []
    value: Any = values
    node = root
    for part in location:
        if "anyOf" in node:
            node = _followed(node, part, value, root)
        if "discriminator" in node:
            node = resolve({"$ref": node["discriminator"]["mapping"][part]}, root)
            continue
        if "anyOf" in node or part == "[key]":
            break
        keys.append(part)
        inside = (isinstance(value, dict) and part in value) or isinstance(value, list)
        value = value[part] if inside else None
        child = node["items"] if "items" in node else node.get("properties", {}).get(part)
        child = child or node.get("additionalProperties")
        node = resolve(child, root) if child else node
    return keys, value, node


def _followed(node: Node, part: str | int, value: Any, root: Node) -> Node:
    """The alternative that a location goes on in: the only one beside null, or the one whose kinds have `part`."""
    alternatives = [resolve(each, root) for each in node["anyOf"] if each.get("type") != "null"]
    if len(alternatives) > 1:
        kinds = [each.get("discriminator", {}).get("mapping", {}) for each in alternatives]
        alternatives = [
            each for each, of_it in zip(alternatives, kinds, strict=True) if part in of_it and isinstance(value, dict)
        ]
    return alternatives[0] if len(alternatives) == 1 else node


def _allowed(node: Node, root: Node) -> str:
    purpose = node.get("description", "").rstrip(".") if node.get("type") != "object" else ""
    return describe(node, root) + (f" ({purpose})" if purpose else "")


_QUOTE = "put quotes around it: YAML reads no, yes, on, off as truth values and digits as numbers"


def _fix(value: Any, allowed: str) -> str:
    if isinstance(value, str) and "number" in allowed:
        if exponent := _EXPONENT.fullmatch(value.strip()):
            mantissa, sign, digits = exponent.groups()
            written = f"{mantissa if '.' in mantissa else mantissa + '.0'}e{sign or '+'}{digits}"
            return f"YAML reads {value} as text: write {written}"
        if re.fullmatch(r"[-+]?[\d.]+", value.strip()):
            return "take the quotes away"
    if isinstance(value, bool | int | float) and "text" in allowed:
        return _QUOTE
    if value is None:
        return "the key has no value: write one, or indent what belongs to it"
    return "write an allowed value"
