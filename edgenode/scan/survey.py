"""All wires at once, each in its own time: a thread a wire, and an end that can be asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from edgenode.driver import WireKind
from edgenode.errors import DriverError
from edgenode.scan.found import Seen, Surveyed, Wire
from edgenode.scan.gpio import survey_gpio
from edgenode.scan.i2c import survey_i2c
from edgenode.scan.serial import survey_serial
from edgenode.scan.sysfs import survey_sysfs

Look = Callable[[str, threading.Event], Iterator[Seen]]
AT_ONCE: Final = 32
TURN_S: Final = 0.1
GRACE_S: Final = 1.0  # for what a wire is being asked when the scan is stopped
STOPPED: Final = "the scan was stopped before it had looked at all of this"
DEFECT: Final = "this is a defect of a driver: report it with this sentence"


def survey(
    wires: Sequence[Wire], stop: threading.Event, addresses: Sequence[int] = ()
) -> Iterator[Surveyed]:
    """Yield what is on each wire, in the order given, as soon as it and those before are done.

    Parts that share a serial cable are looked for at `addresses`; without any, at those that are
    usual. Set `stop` to end early: what was seen until then is yielded, within a second.
    """
    looks: dict[WireKind, Look] = {
        "i2c": survey_i2c,
        "serial": lambda path, stop: survey_serial(path, stop, addresses),
        "gpio": survey_gpio,
        "sysfs": survey_sysfs,
    }
    room = threading.BoundedSemaphore(AT_ONCE)
    looking = [_Looking(wire, looks[wire.kind], stop, room) for wire in wires]
    stopped_s = None
    try:
        for one in looking:
            while not one.done.wait(TURN_S):
                if stop.is_set():
                    stopped_s = stopped_s or time.monotonic()
                    if time.monotonic() - stopped_s > GRACE_S:
                        break
            yield one.found()
    finally:
        stop.set()


class _Looking:
    """One wire that is being looked at, in a thread that is left behind where it hangs."""

    def __init__(
        self, wire: Wire, look: Look, stop: threading.Event, room: threading.BoundedSemaphore
    ) -> None:
        self.done = threading.Event()
        self._wire, self._look, self._stop, self._room = wire, look, stop, room
        self._seen: list[Seen] = []
        self._problem = STOPPED  # as long as it has not come to its end
        threading.Thread(target=self._run, name=f"scan {wire.path}", daemon=True).start()

    def found(self) -> Surveyed:
        """Return what was seen until now."""
        return Surveyed(self._wire, tuple(self._seen), self._problem)

    def _run(self) -> None:
        problem = ""
        try:
            with self._room:
                for seen in self._look(self._wire.path, self._stop):
                    self._seen.append(seen)  # at once: it may have to be told before the end
        except DriverError as exc:
            problem = str(exc)
        except Exception as exc:  # noqa: BLE001 - a driver of somebody else's must not end the scan
            problem = f"{type(exc).__name__}: {exc}; {DEFECT}"
        self._problem = problem or (STOPPED if self._stop.is_set() else "")
        self.done.set()
