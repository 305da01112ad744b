"""What wakes the main thread: signals, a thread that died, and errands that others ask of it."""

from __future__ import annotations

import logging
import queue
import signal
import threading
from collections.abc import Callable
from typing import Any, Final

from edgenode.errors import NodeError

LOG = logging.getLogger(__name__)

ERRANDS: Final = 4  # that may wait; whoever comes later is told so


class Errand:
    """Work for the main thread, and what became of it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._done = threading.Event()
        self._result: Any = None
        self._error: Exception | None = None

    def do(self) -> None:
        """Do it; what goes wrong goes to whoever asked."""
        try:
            self._result = self._work()
        except NodeError as exc:
            self._error = exc
        finally:
            self._done.set()

    def wait(self, timeout_s: float) -> Any:
        """Return the result; raises NodeError, also where it takes too long."""
        if not self._done.wait(timeout_s):
            raise NodeError("the daemon is busy and will do it later; ask for its status")
        if self._error is not None:
            raise self._error
        return self._result


class Stop(threading.Event):
    """Set by SIGTERM and SIGINT, and by a thread that died of a defect. SIGHUP asks to reload."""

    def __init__(self) -> None:
        super().__init__()
        self.defect = False
        self._reload = False
        self._errands: queue.Queue[Errand] = queue.Queue(ERRANDS)
        self._wake = threading.Event()

    def listen(self) -> None:
        """Take the signals and the last words of threads; for the main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self.set())
        signal.signal(signal.SIGHUP, lambda _number, _frame: self._hang_up())
        threading.excepthook = self._died

    def set(self) -> None:
        """Ask for the end."""
        super().set()
        self._wake.set()

    def pause(self, seconds: float) -> bool:
        """Wait until something is wanted, `seconds` at most; return whether the end is."""
        self._wake.wait(seconds)
        self._wake.clear()
        return self.is_set()

    def reload_asked(self) -> bool:
        """Return whether SIGHUP came since the last time this was asked."""
        asked, self._reload = self._reload, False
        return asked

    def ask(self, work: Callable[[], Any], timeout_s: float) -> Any:
        """Let the main thread do `work`; any other thread may ask. Raises NodeError."""
        errand = Errand(work)
        try:
            self._errands.put_nowait(errand)
        except queue.Full:
            raise NodeError("the daemon has too much to do already; try again") from None
        self._wake.set()
        return errand.wait(timeout_s)

    def serve(self) -> None:
        """Do what was asked for; for the main thread only."""
        for _ in range(ERRANDS):
            try:
                self._errands.get_nowait().do()
            except queue.Empty:
                return

    def _hang_up(self) -> None:
        self._reload = True
        self._wake.set()

    def _died(self, args: threading.ExceptHookArgs) -> None:
        if self.is_set():  # who is left behind in a read may find the spool closed
            return
        name = args.thread.name if args.thread else "a thread"
        LOG.critical("%s died of a defect; leaving in order", name, exc_info=args.exc_value)
        self.defect = True
        self.set()
