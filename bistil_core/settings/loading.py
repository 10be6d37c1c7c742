"""config.yaml in, a `Configuration` out, or one message with everything that is wrong with it."""

from typing import Any

from pydantic import ValidationError

from bistil_core.errors import BistilError
from bistil_core.settings.configuration import Configuration
from bistil_core.settings.cross_checks import cross_checks
from bistil_core.settings.problems import keys_not_text, schema_problems


def load_configuration(values: dict[str, Any]) -> Configuration:
    """The configuration that `values` describe, checked as a whole.

    Args:
        values: Snakemake's `config`, or a YAML file's mapping.

    Raises:
        BistilError: with a line for each problem: the key, what was found, what is allowed, the fix.
    """
    problems = list(keys_not_text(values))
    values = _with_text_keys(values)
    configuration = None
    try:
        configuration = Configuration.model_validate(values)
    except ValidationError as error:
        problems += schema_problems(error, values)
    problems += cross_checks(values)
    if configuration is None or problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "".join(f"\n  - {line}" for line in problems)
        raise BistilError(f"The configuration has {count} (docs/configuration.md describes every key):{lines}")
    return configuration


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _with_text_keys(item) for key, item in value.items()}
    return [_with_text_keys(item) for item in value] if isinstance(value, list) else value
