"""One module per task, `bistil_core/data/formats/<task>.py`: it holds one `FORMAT` and imports no torch."""

import importlib

from bistil_core.data.format import Format


def format_of(task: str) -> Format:
    """The format that `bistil_core/data/formats/<task>.py` describes; the configuration has checked its name."""
    return importlib.import_module(f"{__name__}.{task}").FORMAT
