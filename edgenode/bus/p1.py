"""Telegrams of the P1 port: cut out of a stream, proved, and taken apart.

Netbeheer Nederland, "P1 Companion Standard" V5.0.2 (telegram and CRC §6.2, OBIS references
§6.12, M-Bus devices §6.13), and V2.2, V3.0, V4.2 for older telegrams. Names and numbers of
equipment, and what the grid operator writes to its customer, are never looked at.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from edgenode.bus.modbus import remainder
from edgenode.bus.obis import Register, amount, in_unit, registers
from edgenode.bus.parity import DAMAGED, without_parity

Version = Literal[2, 3, 4, 5]
TELEGRAM_MOST: Final = 8192  # bytes; a text message alone may have 2,048
HEAD: Final = re.compile(rb"/[A-Za-z]{3}[0-9]")  # maker and, as in IEC 62056-21, a speed
MOMENT: Final = re.compile(r"[0-9]{12}[SW]?")
TARIFFS: Final = range(1, 5)
DEVICES: Final = range(1, 5)  # M-Bus channels of a meter
HOURLY: Final = timedelta(hours=2)  # a device is read at least once an hour; once may fail


def crc16(data: bytes) -> int:
    """Return CRC-16/ARC: Modbus' polynomial, from 0, without a final change."""
    return remainder(data, 0)


def moment(text: str) -> datetime | None:
    """Return what YYMMDDhhmmssX says, in winter time; None where it is no time.

    X is S in summer and W in winter; versions 2 and 3 have none.
    """
    if not MOMENT.fullmatch(text):
        return None
    try:
        told = datetime.strptime(text[:12], "%y%m%d%H%M%S")  # noqa: DTZ007 - the meter's own time
    except ValueError:  # such as 632525252525 of a device that was never read
        return None
    return told - timedelta(hours=1) if text.endswith("S") else told


class Telegrams:
    """Cuts a stream into telegrams, `/` to `!`, and proves them.

    By their CRC, or by the parity of each character where the version has none. It begins
    anywhere; what it keeps between calls is no longer than TELEGRAM_MOST.
    """

    def __init__(self, version: Version) -> None:
        self._old = version in (2, 3)
        self._tail = len(b"\r\n") if self._old else len(b"6EEE\r\n")
        self._kept = b""

    def cut(self, data: bytes) -> list[bytes]:
        """Take in bytes; return the telegrams that are whole now, oldest first."""
        self._kept += without_parity(data) if self._old else data
        telegrams = []
        while (end := self._kept.find(b"!") + 1) and len(self._kept) >= end + self._tail:
            said, tail = self._kept[:end], self._kept[end : end + self._tail]
            heads = [match.start() for match in HEAD.finditer(said)]
            if heads and self._proved(said[heads[-1] :], tail):  # one before it was cut short
                telegrams.append(said[heads[-1] :])
                end += self._tail
            self._kept = self._kept[end:]
        self._kept = self._kept[-TELEGRAM_MOST:]
        return telegrams

    def clear(self) -> None:
        """Forget the beginning of a telegram."""
        self._kept = b""

    def _proved(self, telegram: bytes, tail: bytes) -> bool:
        if self._old:
            return tail == b"\r\n" and DAMAGED not in telegram
        return tail == b"%04X\r\n" % crc16(telegram)


class Measured(NamedTuple):
    """What an M-Bus device of the meter measured last, by the meter's own clock in winter time."""

    medium: int  # device type of EN 13757-3, such as 3 for gas
    at: datetime
    value: float
    unit: str
    late: bool  # it was not read for longer than HOURLY
    number: str = ""  # on the device; serves to notice another one, and is never shown


class Telegram:
    """The registers of one proved telegram."""

    def __init__(self, telegram: bytes) -> None:
        joined = telegram.replace(b"\r\n(", b"(")  # versions 2 and 3 break the line of a device
        self._all: dict[str, Register] = {one.code: one for one in registers(joined)}
        self._now = moment(self._text("0-0:1.0.0"))

    def number(self, code: str, unit: str) -> float | None:
        """Return the value of a register; None where there is none, or none in this unit."""
        found = amount(self._text(code))
        return in_unit(found, unit) if found and found.unit else None

    def total(self, direction: int) -> float | None:
        """Return the energy of all tariffs in kWh, 1 for import and 2 for export.

        A meter that prints no total prints every tariff.
        """
        if f"1-0:{direction}.8.0" in self._all:
            return self.number(f"1-0:{direction}.8.0", "kWh")
        codes = [code for n in TARIFFS if (code := f"1-0:{direction}.8.{n}") in self._all]
        known = [part for code in codes if (part := self.number(code, "kWh")) is not None]
        return sum(known) if known and len(known) == len(codes) else None

    def power(self, phase: int) -> float | None:
        """Return the power of a phase in W: what it takes, less what it gives."""
        taken = self.number(f"1-0:{20 * phase + 1}.7.0", "W")
        given = self.number(f"1-0:{20 * phase + 2}.7.0", "W")
        return None if taken is None else taken - (given or 0.0)

    @property
    def phases(self) -> Literal[1, 3]:
        """How many phases it tells of."""
        return 3 if any(f"1-0:{code}.7.0" in self._all for code in (41, 51, 52)) else 1

    @property
    def tariffs(self) -> int:
        """How many tariffs it tells of."""
        return sum(f"1-0:1.8.{n}" in self._all for n in TARIFFS)

    @property
    def version(self) -> Version:
        """The version of a telegram with a CRC; Belgian ones, like version 5, do not say it so."""
        return 4 if self._text("1-3:0.2.8").startswith("4") else 5

    @property
    def meter(self) -> str:
        """The number on the meter; serves to notice another one, and is never shown."""
        return self._text("0-0:96.1.1")

    def devices(self) -> dict[int, Measured]:
        """Return by its medium what each device measured last.

        Of two of a kind (an exchanged meter stays listed) the one that measured later.
        """
        found: dict[int, Measured] = {}
        for n in DEVICES:
            one = self._device(n)
            if one and (one.medium not in found or found[one.medium].at < one.at):
                found[one.medium] = one
        return found

    def _text(self, code: str) -> str:
        return self._all[code].groups[0] if code in self._all else ""

    def _device(self, n: int) -> Measured | None:
        """Return what device `n` measured; None where there is none, or it never was read."""
        medium, said = self._text(f"0-{n}:24.1.0"), self._said(n)
        at, found = moment(said[0]), amount(said[1])
        if not (medium.isdecimal() and at and found):
            return None
        late = self._now is not None and self._now - at > HOURLY
        number = self._text(f"0-{n}:96.1.0") or self._text(f"0-{n}:96.1.1")  # .1: Belgian
        return Measured(int(medium), at, found.value, found.unit, late, number)

    def _said(self, n: int) -> tuple[str, str]:
        """Return the time and the value as they are printed for device `n`."""
        for code in (f"0-{n}:24.2.1", f"0-{n}:24.2.3"):  # .3: Belgian gas, not corrected
            if code in self._all and len(groups := self._all[code].groups) == 2:
                return groups[0], groups[1]
        old = self._all.get(f"0-{n}:24.3.0")
        if old and len(old.groups) == 7:  # time, three numbers, code, unit, value
            return old.groups[0], f"{old.groups[6]}*{old.groups[5]}"
        return "", ""
