import json
from pathlib import Path

import jsonschema
import pytest
import yaml

import bistil_core.settings
from bistil_core.settings.schema import configuration_schema

ROOT = Path(__file__).parents[2]
CHECKED_IN = Path(bistil_core.settings.__file__).with_name("schema.json")


def test_the_schema_that_is_checked_in_is_that_of_the_models():
    again = "python -m bistil_core.settings.schema > bistil_core/settings/schema.json"
    assert json.loads(CHECKED_IN.read_text(encoding="utf-8")) == configuration_schema(), f"write it anew: {again}"


@pytest.mark.parametrize(
    "path", [ROOT / "config.yaml", *sorted((ROOT / "configs").glob("*.yaml"))], ids=lambda path: path.name
)
def test_the_configurations_that_are_shipped_fit_it(path):
    schema = json.loads(CHECKED_IN.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    errors = jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(path.read_text()))
    assert [error.message for error in errors] == []


def test_the_schema_refuses_unknown_keys():
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    values["phase1"]["stepz"] = 1
    with pytest.raises(jsonschema.ValidationError, match="stepz"):
        jsonschema.validate(values, configuration_schema())


def test_every_key_is_described_in_the_documentation():
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    schema = configuration_schema()
    keys = {key for node in (schema, *schema["$defs"].values()) for key in node["properties"]}
    assert sorted(key for key in keys if f"`{key}`" not in text) == []
