"""Leaving when told to: SIGTERM (a pre-emption) and SIGINT (Ctrl-C) end a training where it can be taken up again."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

from bistil_core.processes import is_first


class Interrupted(Exception):
    """A signal came where it ends at once what is being done."""


class Interruption:
    """A context in which SIGTERM and SIGINT are remembered in `signal` in place of ending the process.

    Outside the main thread, where Python takes no signals, it does nothing; nor in those of the processes that train
    together that the first one ends.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._at_once = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread() and is_first():
            for each in (signal.SIGTERM, signal.SIGINT):
                self._before[each] = signal.signal(each, self._remember)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """For the length of the block, which must be one that can be broken off, a signal raises Interrupted."""
        self._at_once = True
        try:
            if self.signal:
                raise Interrupted
            yield
        finally:
            self._at_once = False

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.signal = signal.Signals(number)
        if self._at_once:
            self._at_once = False
            raise Interrupted
