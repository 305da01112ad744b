"""Who is at the other end of a serial port: first it is listened to, then it is asked.

A port has no address and no speed that can be seen. What talks is heard as noise at any other
speed, so a port that is quiet at one is asked; where there is noise, the speeds of all parts that
talk by themselves are tried.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from edgenode.bus import SerialBus, SerialPort
from edgenode.driver import Driver, loadable
from edgenode.errors import DriverError
from edgenode.reading import SerialLine
from edgenode.scan import listening
from edgenode.scan.cable import on_cable
from edgenode.scan.found import Seen
from edgenode.scan.listening import SELDOM_S, STRAY, Heard, is_text, listened

LONGEST_S: Final = 28.0  # of listening, at all speeds together
BYTES_SHOWN: Final = 16
TEXT_SHOWN: Final = 60

Drivers = Mapping[str, Any]


def survey_serial(
    path: str, stop: threading.Event, addresses: Sequence[int] = ()
) -> Iterator[Seen]:
    """Yield the parts that are known, or what was heard. Raises BusError for a dead port."""
    until = time.monotonic() + LONGEST_S
    line, *_ = _by_line(_talks)
    seen = _heard(path, line, stop, listening.QUIET_S, until)
    if seen.seen:
        yield seen.seen
    elif len(seen.said) > STRAY:
        yield from _talker(path, stop, until, {line: seen.said})
    else:
        yield from _quiet(path, stop, until, addresses)


def _heard(
    path: str, line: SerialLine, stop: threading.Event, silent_s: float, until: float
) -> Heard:
    """Listen at one speed; who talks text that nobody knows is asked for its name."""
    drivers = _by_line(_talks)[line]
    with _opened(path, line) as port:
        heard = listened(port, drivers, stop, silent_s, until - time.monotonic())
        if heard.seen is None and is_text(heard.said) and not stop.is_set():
            named = _by_name(port, {n: d for n, d in drivers.items() if _answers(d)})
            return heard._replace(seen=named)
    return heard


def _talker(
    path: str, stop: threading.Event, until: float, heard: dict[SerialLine, bytes]
) -> Iterator[Seen]:
    """Listen at each other speed until somebody is known, then tell what was heard."""
    for line in _by_line(_talks):
        if line in heard or until <= time.monotonic() or stop.is_set():
            continue
        said, seen = _heard(path, line, stop, SELDOM_S, until)
        if seen:
            yield seen
            return
        heard[line] = said
    yield from _unknown(heard)


def _unknown(heard: Mapping[SerialLine, bytes]) -> Iterator[Seen]:
    for line, said in heard.items():
        if is_text(said):
            text = " ".join(said.decode("ascii").split())
            yield Seen(str(line), f"text that no driver here knows: {text[:TEXT_SHOWN]} …")
            return
    loudest = max(heard.values(), key=len, default=b"")
    if len(loudest) > STRAY:
        words = f"something talks, and no driver here knows it at {', '.join(map(str, heard))}"
        yield Seen("", f"{words}: {loudest[:BYTES_SHOWN].hex(' ')} …")


def _quiet(
    path: str, stop: threading.Event, until: float, addresses: Sequence[int]
) -> Iterator[Seen]:
    """Ask all that answer; where nobody does, wait for one that talks seldom.

    At whatever speed it talks, it is heard.
    """
    doubtful: list[Seen] = []
    for line, drivers in _by_line(_answers).items():
        met = False
        with _opened(path, line) as port:
            for seen in _asked(port, drivers, addresses, stop):
                if seen.line is None:  # noise: of another speed, or of who talks seldom
                    doubtful.append(seen)
                    continue
                met = True
                yield seen
        if met or stop.is_set():
            return
    _, line, *_ = _by_line(_talks)
    said, late = _heard(path, line, stop, SELDOM_S, until + SELDOM_S)
    if late:
        yield late
    elif len(said) > STRAY:
        yield from _talker(path, stop, until + SELDOM_S, {line: said})
    else:
        yield from doubtful[:1]


def _asked(
    port: SerialPort, drivers: Drivers, addresses: Sequence[int], stop: threading.Event
) -> Iterator[Seen]:
    """Yield the one part that has the port to itself, else those that share it."""
    alone = _by_name(port, {n: d for n, d in drivers.items() if not d.shares}, stop)
    if alone:
        yield alone
    else:
        yield from on_cable(port, drivers, addresses, stop)


def _by_name(
    port: SerialPort, drivers: Drivers, stop: threading.Event | None = None
) -> Seen | None:
    """Return the first part that says who it is. Raises BusError where the port is gone."""
    for name, driver in drivers.items():
        if stop and stop.is_set():
            return None
        try:
            found = driver.identify(port)
        except DriverError:  # nobody, or something else answered
            if port.fileno() < 0:
                raise
            continue
        if found:
            return Seen(str(port.line), found.words, name, found.options, port.line)
    return None


def _by_line(of: Callable[[Any], bool]) -> dict[SerialLine, dict[str, Any]]:
    """Return the drivers of a kind by the speed of their part, that of most parts first."""
    lines: dict[SerialLine, dict[str, Any]] = {}
    usual: Counter[SerialLine] = Counter()
    for name, driver in loadable().items():
        if driver.wire == "serial" and driver.line and of(driver):
            usual[driver.line] += 1
            for line in (driver.line, *driver.also):
                lines.setdefault(line, {})[name] = driver
    return dict(sorted(lines.items(), key=lambda one: -usual[one[0]]))


def _talks(driver: Any) -> bool:
    return driver.recognise.__func__ is not Driver.recognise.__func__  # type: ignore[attr-defined]


def _answers(driver: Any) -> bool:
    known = driver.identify.__func__ is not Driver.identify.__func__  # type: ignore[attr-defined]
    return bool(driver.shares) or known


@contextmanager
def _opened(path: str, line: SerialLine) -> Iterator[SerialPort]:
    port = SerialBus(path).lease(line)
    try:
        yield port
    finally:
        port.close()
