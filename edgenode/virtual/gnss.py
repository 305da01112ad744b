"""A satellite receiver as sentences on its serial port, by NMEA 0183: RMC, GGA, GSA, ZDA.

It speaks each `period_ms`, some time after the moment that it speaks of, and knows UTC truly
unless its weeks are out. It sees as many satellites as it plays: with two or fewer it has no fix,
with three a flat one. It hears nothing.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.playing import Playing
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

MS: Final = 1_000_000  # ns
FLAT, DEEP = 3, 4  # satellites that make a fix in two and in three dimensions
BURSTS_MOST: Final = 10  # told in one go, when nobody asked for long: what a tty holds
GEOID_M: Final = 40.0
SEED: Final = 183  # garbage is random but the same every time

Sentence = Literal["RMC", "GGA", "GSA", "ZDA"]


class GnssSpec(Table, frozen=True, tag_field="kind", tag="gnss"):
    """[[instrument]] kind = "gnss": one row of its series each `every_ms`."""

    sensor: str
    bus: str = "gnss"
    baud: Annotated[int, Meta(ge=4800, le=921_600)] = 9600
    every_ms: Period = 1_000
    talker: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "GN"
    sentences: tuple[Sentence, ...] = ("RMC", "GGA", "GSA", "ZDA")
    utc_ms: int | None = None  # POSIX at the start; none: what the wall clock of this machine says
    weeks: int = 0  # by so many its date is out; -1024 after a rollover
    period_ms: Annotated[int, Meta(ge=100, le=10_000)] = 1_000
    latency_ms: Annotated[int, Meta(ge=0, le=999)] = 150
    latitude: Play = Play(offset=52.52)
    longitude: Play = Play(offset=13.405)
    altitude: Play = Play(offset=34.0)
    satellites: Play = Play(offset=9)
    hdop: Play = Play(offset=0.9)


class VirtualGNSS(Playing):
    """One receiver; logs what it says of each moment, heard or not."""

    quantities: ClassVar = ("latitude", "longitude", "altitude", "satellites", "hdop")

    def __init__(self, spec: GnssSpec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.spec = spec
        utc_ns = time.time_ns() if spec.utc_ms is None else spec.utc_ms * MS
        self._ahead_ns = utc_ns - start_ns  # UTC less boot-time
        self._period_ns = spec.period_ms * MS
        self._moment_ns = (utc_ns // self._period_ns + 1) * self._period_ns  # the next, in UTC

    def next_ns(self) -> int:
        """Return when it speaks of the next moment."""
        return self._moment_ns + self.spec.latency_ms * MS - self._ahead_ns

    def speak(self, now_ns: int) -> bytes:
        """Return what it says of the moments that are due."""
        said: list[bytes] = []
        while self.next_ns() <= now_ns:
            said.append(self._said(self.next_ns()))
            self._moment_ns += self._period_ns
        return b"".join(said[-BURSTS_MOST:])

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Hear nothing."""
        del data, now_ns
        return b""

    def _said(self, at_ns: int) -> bytes:
        row, fate = self._row(at_ns), self._fate
        spec = self.spec
        plays = (spec.latitude, spec.longitude, spec.altitude, spec.satellites, spec.hdop)
        north, east, height, seen, hdop = values = tuple(play.value(row) for play in plays)
        self._log(values, at_ns, fate)
        second, rest_ns = divmod(self._moment_ns, 1000 * MS)
        when = datetime.fromtimestamp(second, UTC) + timedelta(weeks=spec.weeks)
        clock, fixed = f"{when:%H%M%S}.{rest_ns // (10 * MS):02d}", seen >= FLAT
        where = f"{_angle(north, 2, 'NS')},{_angle(east, 3, 'EW')}" if fixed else ",,,"
        status = f"{clock},{'A' if fixed else 'V'},{where}"
        quality = f"{int(fixed)},{round(seen):02d},{hdop if fixed else 99.99:.2f}"
        tall = f"{height:.1f},M,{GEOID_M:.1f},M" if fixed else ",M,,M"
        mode = 1 if not fixed else 3 if seen >= DEEP else 2
        bodies = {
            "RMC": f"{status},0.0,,{when:%d%m%y},,,{'A' if fixed else 'N'}",
            "GGA": f"{clock},{where},{quality},{tall},,",
            "GSA": f"A,{mode},{',' * 11},1.5,{hdop:.2f},1.2",
            "ZDA": f"{clock},{when:%d,%m,%Y},00,00",
        }
        told = b"".join(_sentence(f"{spec.talker}{kind},{bodies[kind]}") for kind in spec.sentences)
        if fate in {"nack", "hang"}:
            return b""
        return self._random.randbytes(len(told)) if fate == "garbage" else told


def _angle(degrees: float, digits: int, sides: str) -> str:
    """Return degrees as (d)ddmm.mmmmm and the letter of the side, as NMEA 0183 writes them."""
    whole, rest = divmod(round(abs(degrees) * 60 * 100_000), 60 * 100_000)
    side = sides[0] if math.copysign(1, degrees) > 0 else sides[1]
    return f"{whole:0{digits}d}{rest / 100_000:08.5f},{side}"


def _sentence(body: str) -> bytes:
    """Put $ before and the exclusive or of all bytes behind it."""
    check = 0
    for letter in body:
        check ^= ord(letter)
    return f"${body}*{check:02X}\r\n".encode("ascii")
