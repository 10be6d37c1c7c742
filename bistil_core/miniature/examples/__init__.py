"""One module per task, `bistil_core/miniature/examples/<task>.py`, that writes labelled examples of it.

Its `generate(language, split, examples, seed)` yields the raw values of each example by field, as the task's format
has them; for one split and seed those of all languages say the same.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

Generator = Callable[[str, str, int, int], Iterator[dict[str, Any]]]


def generated_tasks() -> list[str]:
    """The tasks that the miniature has examples of."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def generator_of(task: str) -> Generator:
    """What writes examples of a task; the configuration has checked that there is one."""
    return importlib.import_module(f"{__name__}.{task}").generate
