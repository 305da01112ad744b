"""Who talks by itself on a serial port: it is listened to at each speed that such a part has."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from edgenode.bus import SerialPort
from edgenode.scan.found import Seen

QUIET_S: Final = 3.0  # who has said nothing by then does not talk by itself, or seldom
SELDOM_S: Final = 11.0  # the slowest talk each ten seconds: meters with a P1 port (DSMR 4 and 3)
TURN_S: Final = 0.25
STRAY: Final = 3  # bytes that a cable without a bias makes when it is plugged or opened
TEXT: Final = frozenset(b"\r\n\t") | frozenset(range(0x20, 0x7F))
HEARD_MOST: Final = 65_536


class Heard(NamedTuple):
    """What was said in that time, and who it is where that is known."""

    said: bytes
    seen: Seen | None = None


def listened(
    port: SerialPort,
    drivers: Mapping[str, Any],
    stop: threading.Event,
    silent_s: float,
    most_s: float = SELDOM_S,
) -> Heard:
    """Listen until a part is known, at most for `most_s`; for `silent_s` where nothing is said.

    A text is heard out, since it may be long. Raises BusError where the port is gone.
    """
    began = time.monotonic()
    said = b""
    while time.monotonic() - began < min(most_s, _patience_s(said, silent_s)):
        fresh = port.receive(1, TURN_S) + port.arrived()
        said = (said + fresh)[-HEARD_MOST:]
        seen = recognised(port, drivers, said) if fresh else None
        if seen:
            return Heard(said, seen)
        if stop.is_set():
            break
    return Heard(said)


def _patience_s(said: bytes, silent_s: float) -> float:
    if not said:
        return silent_s
    return SELDOM_S if is_text(said) else QUIET_S


def recognised(port: SerialPort, drivers: Mapping[str, Any], said: bytes) -> Seen | None:
    """Return the part that says such things."""
    for name, driver in drivers.items():
        found = driver.recognise(said)
        if found:
            return Seen(str(port.line), found.words, name, found.options, port.line)
    return None


def is_text(said: bytes) -> bool:
    """Whether this may be the middle of a text: noise, or another speed, is not waited for."""
    return bool(said) and all(byte in TEXT for byte in said)
