"""The JSON schema of config.yaml, and what it says about one key.

`python -m bistil_core.settings.schema > bistil_core/settings/schema.json` writes the file that is checked in.
"""

import json
from typing import Any

from bistil_core.settings.configuration import Configuration

Node = dict[str, Any]
"""A schema, or a part of one."""

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minItems": "not empty",
    "minProperties": "not empty",
}
_NAMES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
}


def configuration_schema() -> Node:
    """The JSON schema (draft 2020-12) of the whole configuration."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Configuration.model_json_schema()}


def resolve(node: Node, root: Node) -> Node:
    """The node itself, or the definition in `root` that it refers to."""
    return root["$defs"][node["$ref"].rsplit("/", 1)[-1]] if "$ref" in node else node


def describe(node: Node, root: Node) -> str:
    """What a node allows, in words."""
    node = resolve(node, root)
    if "discriminator" in node:
        return f"a mapping whose kind is one of {', '.join(sorted(node['discriminator']['mapping']))}"
    if "anyOf" in node:
        return " or ".join(describe(alternative, root) for alternative in node["anyOf"])
    if "enum" in node:
        return " or ".join(map(str, node["enum"]))
    if "const" in node:
        return str(node["const"])
    bounds = [phrase.format(node[bound]) for bound, phrase in _BOUNDS.items() if bound in node]
    return ", ".join([_name(node, root), *bounds])


def _name(node: Node, root: Node) -> str:
    if node["type"] == "array":
        return f"a list of {describe(node['items'], root)}"
    if node["type"] == "object":
        if "properties" in node:
            return f"a mapping with {', '.join(node['properties'])}"
        values = resolve(node["additionalProperties"], root)
        return f"a mapping to {'sections' if values.get('type') == 'object' else describe(values, root)}"
    return _NAMES[node["type"]]


if __name__ == "__main__":
    print(json.dumps(configuration_schema(), indent=2, ensure_ascii=False))
