import tomllib
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[1]


def test_the_conda_environment_has_the_pins_of_the_package():
    package = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
    environment = yaml.safe_load((REPOSITORY / "envs" / "bistil.yaml").read_text())
    assert environment["dependencies"][-1] == {"pip": package}
