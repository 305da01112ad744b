"""What a scan has to say: wires, and what was seen on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from edgenode.driver import WireKind
from edgenode.reading import SerialLine


class Wire(NamedTuple):
    """A wire to look at: its kind, and its path as a [[bus]] would name it."""

    kind: WireKind
    path: str


class Seen(NamedTuple):
    """Something on a wire: a part that a driver knows, or whatever else was noticed."""

    place: str  # "0x44", "9600 8N1", "line 17"; empty where the wire has one place only
    words: str
    driver: str = ""  # empty: nobody here knows it
    options: Mapping[str, Any] = {}  # what its stanza needs beyond driver and bus
    line: SerialLine | None = None  # serial: how the port was set when it was met


class Surveyed(NamedTuple):
    """All that was seen on one wire, or why it could not be looked at."""

    wire: Wire
    seen: tuple[Seen, ...] = ()
    problem: str = ""
