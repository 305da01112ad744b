"""NMEA 0183 sentences of satellite receivers: checked, taken apart, no more believed than said.

IEC 61162-1 / NMEA 0183: `$TTSSS,field,…*hh`, hh being the exclusive or of all between $ and *.
Fields of RMC, GGA, GSA and ZDA: "NMEA Revealed" (gpsd) and the u-blox 8 protocol specification
(UBX-13003221, "Standard messages"); pynmea2 agrees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import reduce
from operator import xor
from typing import Final, NamedTuple

from edgenode.bus.lines import Lines

CHECK_BYTES: Final = 3  # * and two digits
HEX: Final = b"0123456789ABCDEF"  # small letters would let a flipped bit pass
CENTURY: Final = 2000  # of RMC, which has two digits of the year
DAY_MS: Final = 86_400_000
TIME: Final = re.compile(r"(\d\d)(\d\d)(\d\d)(?:\.(\d{1,6}))?")
LATITUDE: Final = re.compile(r"(\d\d)(\d\d(?:\.\d{1,8})?)")
LONGITUDE: Final = re.compile(r"(\d{3})(\d\d(?:\.\d{1,8})?)")
NUMBER: Final = re.compile(r"-?\d{1,6}(?:\.\d{1,6})?")


class Place(NamedTuple):
    """WGS84, degrees, north and east positive."""

    latitude: float
    longitude: float


class Rmc(NamedTuple):
    """Recommended minimum data. What was left empty, or cannot be, is None."""

    ms: int | None  # UTC since midnight
    day: date | None
    valid: bool
    place: Place | None
    mode: str  # A, D, E, F, M, N, P, R, S; "" before NMEA 2.3


class Gga(NamedTuple):
    """Fix data."""

    ms: int | None
    place: Place | None
    quality: int  # 0 none, 1 GNSS, 2 differential, 4 and 5 RTK, 6 estimated, 7 manual, 8 simulated
    satellites: int | None
    hdop: float | None
    altitude: float | None  # m above mean sea level


class Gsa(NamedTuple):
    """Dilution of precision."""

    mode: int  # 1 no fix, 2 in two dimensions, 3 in three


class Zda(NamedTuple):
    """Time and date."""

    ms: int | None
    day: date | None


Said = Rmc | Gga | Gsa | Zda


class Sentences:
    """Cuts a stream into the bodies of its proved sentences: what stands between $ and *."""

    def __init__(self) -> None:
        self._lines = Lines()

    def cut(self, data: bytes) -> list[bytes]:
        """Take in bytes; return the sentences that ended, oldest first."""
        return [body for line in self._lines.cut(data) if (body := proved(line))]

    def clear(self) -> None:
        """Forget the beginning of a sentence."""
        self._lines.clear()


def proved(line: bytes) -> bytes:
    """Return the body of a line whose checksum holds; else nothing.

    What stands before its last $ is not looked at: a sentence may begin in the rest of another.
    """
    body, check = line[line.rfind(b"$") + 1 : -CHECK_BYTES], line[-CHECK_BYTES:]
    if not body or b"$" not in line or check[:1] != b"*" or not set(check[1:]) <= set(HEX):
        return b""
    plain = body.isascii() and body.decode("ascii").isprintable()
    return body if plain and reduce(xor, body) == int(check[1:], 16) else b""


def parsed(body: bytes) -> Said | None:
    """Return what a sentence says, of any talker; None of one that is not read here or is short."""
    head, *fields = body.decode("ascii").split(",")
    least, parse = SENTENCES.get(head[2:], (0, None))
    if parse is None or len(fields) < least or not head[:2].isalnum():
        return None
    return parse(fields)


def _rmc(fields: list[str]) -> Rmc:
    clock, status, *where = fields[:6]  # four for the place, as in GGA
    mode = fields[11][:1] if len(fields) > 11 else ""
    return Rmc(_ms(clock), _day(fields[8]), status == "A", _place(where), mode)


def _gga(fields: list[str]) -> Gga:
    clock, *where, quality, satellites, hdop, altitude, unit = fields[:10]
    return Gga(
        _ms(clock),
        _place(where),
        int(quality) if quality.isdecimal() and quality.isascii() else 0,
        _whole(satellites),
        _number(hdop),
        _number(altitude) if unit == "M" else None,
    )


def _gsa(fields: list[str]) -> Gsa:
    mode = fields[1]
    return Gsa(int(mode) if mode in {"2", "3"} else 1)


def _zda(fields: list[str]) -> Zda:
    clock, day, month, year = fields[:4]
    return Zda(_ms(clock), _date(_whole(year), _whole(month), _whole(day)))


SENTENCES: Final[Mapping[str, tuple[int, Callable[[list[str]], Said]]]] = {
    "RMC": (9, _rmc),
    "GGA": (10, _gga),
    "GSA": (2, _gsa),
    "ZDA": (4, _zda),
}


def _ms(text: str) -> int | None:
    """Return hhmmss.sss as ms since midnight; None of a leap second too, which POSIX has not."""
    found = TIME.fullmatch(text)
    if not found:
        return None
    hours, minutes, seconds = map(int, found.groups()[:3])
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    fraction = int((found[4] or "0").ljust(3, "0")[:3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction


def _day(text: str) -> date | None:
    """Return ddmmyy."""
    if len(text) != 6 or not (text.isdecimal() and text.isascii()):
        return None
    return _date(CENTURY + int(text[4:]), int(text[2:4]), int(text[:2]))


def _date(year: int | None, month: int | None, day: int | None) -> date | None:
    try:
        return None if None in {year, month, day} else date(year, month, day)  # type: ignore[arg-type]
    except ValueError:  # the 31st of a month that has 30
        return None


def _place(where: list[str]) -> Place | None:
    """Return degrees of ddmm.mmmm, N or S, dddmm.mmmm, E or W."""
    north, side, east, flank = where
    latitude = _degrees(LATITUDE, north, side, "NS", 90)
    longitude = _degrees(LONGITUDE, east, flank, "EW", 180)
    return None if latitude is None or longitude is None else Place(latitude, longitude)


def _degrees(shape: re.Pattern[str], text: str, side: str, sides: str, most: int) -> float | None:
    found = shape.fullmatch(text)
    if not found or side not in set(sides):
        return None
    minutes = float(found[2])
    value = int(found[1]) + minutes / 60
    if minutes >= 60 or value > most:
        return None
    return value if side == sides[0] else -value


def _number(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text) else None


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 5 else None
