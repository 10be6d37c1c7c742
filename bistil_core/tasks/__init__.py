"""One module per task: how its examples are encoded, its head, what is distilled, and how it is scored.

A module `bistil_core/tasks/<name>.py` holds one `TASK`; its file format is `bistil_core/data/formats/<name>.py`.
"""

import importlib

from bistil_core.task import Task


def task_named(name: str) -> Task:
    """The task that `bistil_core/tasks/<name>.py` describes; the configuration has checked the name."""
    return importlib.import_module(f"{__name__}.{name}").TASK
