"""Labelled examples in files of the user's."""

from collections import Counter
from pathlib import Path

from bistil_core.data.example_sources import Examples
from bistil_core.data.examples import read_examples
from bistil_core.data.formats import format_of
from bistil_core.files import sha256_of
from bistil_core.settings.sources import ExampleFiles


def examples(source: ExampleFiles, task: str, language: str, split: str, seed: int) -> Examples:
    """The examples of one file; `{language}` in its path stands for the language's code.

    Raises:
        BistilError: a file that cannot be read as examples of the task; see `bistil_core.data.examples`.
    """
    path = Path(source.path.replace("{language}", language))
    changed: Counter[str] = Counter()
    table, dropped = read_examples(path, format_of(task), source.columns, changed)
    return Examples(
        name=path.name, revision=None, sha256=sha256_of(path), dropped=dropped, table=table, changed=dict(changed)
    )
