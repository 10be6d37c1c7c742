"""What a step tells the person who watches: a log file of its own, and the same lines on the terminal."""

import logging
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bistil_core.errors import BistilError

LOGGER = logging.getLogger("bistil")


@contextmanager
def reporting(log: str | Path) -> Iterator[None]:
    """Send the package's messages to `log` and to the terminal; the log also takes other libraries' warnings.

    A BistilError ends the process with its message alone, anything else with a traceback in the log.
    """
    log = Path(log)
    log.parent.mkdir(parents=True, exist_ok=True)
    file = logging.FileHandler(log, mode="w", encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S"))
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(logging.Formatter("%(message)s"))
    terminal.addFilter(lambda record: record.name == LOGGER.name)
    logging.basicConfig(level=logging.WARNING, handlers=[file, terminal], force=True)
    LOGGER.setLevel(logging.INFO)
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    _quieten_libraries()
    try:
        yield
    except BistilError as error:
        LOGGER.error("error: %s", error)
        sys.exit(1)
    except Exception as error:
        LOGGER.error("error: %s: %s (the log has the traceback)", type(error).__name__, error)
        with log.open("a", encoding="utf-8") as stream:
            traceback.print_exc(file=stream)
        sys.exit(1)


def _quieten_libraries() -> None:
    """No progress bars of other libraries, and their warnings through the handlers set above."""
    import datasets
    from transformers.utils import logging as transformers_logging

    datasets.disable_progress_bars()
    transformers_logging.disable_progress_bar()
    transformers_logging.disable_default_handler()
    transformers_logging.enable_propagation()
