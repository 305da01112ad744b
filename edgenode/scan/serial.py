"""Who is at the other end of a serial port: first it is listened to, then it is asked.

A port has no address and no speed that can be seen, so each speed that a driver knows is tried.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from edgenode.bus import SerialBus, SerialPort
from edgenode.driver import Found, loadable
from edgenode.errors import BusError, DriverError
from edgenode.reading import SerialLine
from edgenode.scan.found import Seen

QUIET_S: Final = 3.0  # who has said nothing by then does not talk by itself
LISTEN_S: Final = 12.0  # a meter of the older kind speaks each ten seconds, in text
TURN_S: Final = 0.25
TEXT: Final = frozenset(b"\r\n\t") | frozenset(range(0x20, 0x7F))
HEARD_MOST: Final = 65_536
SHOWN: Final = 16


def survey_serial(path: str, stop: threading.Event) -> Iterator[Seen]:
    """Yield the first part that is known, or what was heard. Raises BusError for a dead port."""
    heard: dict[SerialLine, bytes] = {}
    for line, drivers in _by_line().items():
        if stop.is_set():
            return
        with _opened(path, line) as port:
            said, name, found = _listened(port, drivers, stop)
            if not said and not stop.is_set():
                name, found = _asked(port, drivers)
        if found:
            yield Seen(str(line), found.words, name, found.options)
            return
        if said:
            heard[line] = said
    for line, said in heard.items():
        words = f"{len(said)} bytes that no driver here knows: {said[:SHOWN].hex(' ')} …"
        yield Seen(str(line), words)


def _by_line() -> dict[SerialLine, dict[str, Any]]:
    """Return the drivers by the speed of their part, the speed with the most parts first."""
    lines: dict[SerialLine, dict[str, Any]] = {}
    for name, driver in loadable().items():
        if driver.wire == "serial" and driver.line:
            lines.setdefault(driver.line, {})[name] = driver
    return dict(sorted(lines.items(), key=lambda one: -len(one[1])))


@contextmanager
def _opened(path: str, line: SerialLine) -> Iterator[SerialPort]:
    port = SerialBus(path).lease(line)
    try:
        yield port
    finally:
        port.close()


def _listened(
    port: SerialPort, drivers: dict[str, Any], stop: threading.Event
) -> tuple[bytes, str, Found | None]:
    """Return what was heard and who it is: at once when known, else when it is quiet or time."""
    began = time.monotonic()
    said = b""
    while time.monotonic() - began < (LISTEN_S if _is_text(said) else QUIET_S):
        fresh = port.receive(1, TURN_S) + port.arrived()
        said = (said + fresh)[-HEARD_MOST:]
        if fresh:
            for name, driver in drivers.items():
                found = driver.recognise(said)
                if found:
                    return said, name, found
        if stop.is_set():
            break
    return said, "", None


def _is_text(said: bytes) -> bool:
    """Whether this may be the middle of a text: noise, or another speed, is not waited for."""
    return bool(said) and all(byte in TEXT for byte in said)


def _asked(port: SerialPort, drivers: dict[str, Any]) -> tuple[str, Found | None]:
    for name, driver in drivers.items():
        try:
            found = driver.identify(port)
        except BusError:
            continue
        except DriverError:  # something else answered
            continue
        if found:
            return name, found
    return "", None
