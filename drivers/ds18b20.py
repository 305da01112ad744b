"""Maxim DS18B20 and its kin (DS18S20, DS1822, DS1825, DS28EA00) on 1-Wire, by the kernel's files.

Datasheet: Maxim DS18B20 (19-7487): range and resolution §"Features", power-on value 85 °C in
table 1, conversion 750 ms. File: Linux Documentation/w1/slaves/w1_therm.rst: `w1_slave` gives the
nine bytes of the scratchpad with "YES" where their CRC is right, and t= in m°C. Reading it makes
the part convert.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.bus import Tree
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import BadFrame, BusError, ImpossibleValue
from edgenode.reading import Channel, Sample

SHELF: Final = "sys/bus/w1/devices"
ROM: Final = re.compile(r"(10|22|28|3b|42)-[0-9a-f]{12}")  # the families that w1_therm knows
ANSWER: Final = re.compile(r"((?:[0-9a-f]{2} ){9}): crc=([0-9a-f]{2}) (YES|NO)\n.*t=(-?[0-9]+)")
POWER_ON: Final = 85_000  # m°C: what the scratchpad holds before the first conversion (table 1)
# Byte 6 is 0x0C at power-on and 0x10 less the low four bits after a conversion, so 0x10 where 85 °C
# was measured: C. Petrich, "Your DS18B20 temperature sensor is likely a fake" (repository
# cpetrich/counterfeit_DS18B20), which compares the parts of many makers.
RESERVED_AT: Final = 6
UNCONVERTED: Final = "0c"
OPEN_LINE: Final = "ff " * 9  # nobody pulls the wire down
HELD_LINE: Final = "00 " * 9  # nobody lets it go; the CRC of zeros is zero, so it seems right


class DS18B20Options(Options, frozen=True):
    """Which part: each has a number of its own for life."""

    id: Annotated[
        str,
        Meta(
            pattern="^(10|22|28|3b|42)-[0-9a-f]{12}$",
            title="which part on the wire",
            description="its number as the kernel shows it in /sys/bus/w1/devices",
        ),
    ]


class DS18B20(Driver):
    """One part; the kernel's driver clocks the wire and proves the CRC."""

    wire: ClassVar[WireKind] = "sysfs"
    model: ClassVar[str] = "DS18B20"
    options: ClassVar[type[Options]] = DS18B20Options
    channels: ClassVar[tuple[Channel, ...]] = (
        # Its steps are 0.0625 °C; it is right to 0.5 °C.
        Channel(
            "temperature", "Cel", -2, observed="WeatherObserved/temperature", low=-55, high=125
        ),
    )
    budget_s: ClassVar[float] = 2.5  # 0.75 s, and once more where the kernel's driver tries again
    fastest_s: ClassVar[float] = 1.0
    grade: ClassVar[Grade] = "oracle"

    def __init__(self, wire: Tree, options: DS18B20Options) -> None:
        self._tree, self._id = wire, options.id
        self._read()  # a part that is not there is told at once, and the first value is no 85

    @classmethod
    def survey(cls, tree: Tree) -> tuple[Found, ...]:
        """Return every part of these families that the kernel has found."""
        names = (name for name in tree.names(SHELF) if ROM.fullmatch(name))
        return tuple(Found(f"1-Wire temperature sensor {name}", {"id": name}) for name in names)

    def read(self, now_ms: int) -> Sample:
        """Convert once. Raises BusError, BadFrame, or ImpossibleValue for the power-on value."""
        del now_ms  # the part converts now
        millidegrees, scratchpad = self._read()
        if millidegrees == POWER_ON and scratchpad[RESERVED_AT] == UNCONVERTED:
            raise ImpossibleValue(
                f"{self._id}: 85 °C, which it holds before its first conversion; it loses its "
                "supply while converting: wire its third pin, or use a stronger pull-up"
            )
        return Sample((millidegrees / 1000,))

    def close(self) -> None:
        """Nothing is open."""
        self._tree.close()

    def _read(self) -> tuple[int, list[str]]:
        """Return m°C and the bytes of the scratchpad."""
        text = self._tree.text(f"{SHELF}/{self._id}/w1_slave")
        if text is None:
            others = ", ".join(filter(ROM.fullmatch, self._tree.names(SHELF))) or "none"
            raise BusError(
                f"{self._id}: the kernel does not see it; check its wire and the pull-up of 4.7 kΩ "
                f"(there are: {others})"
            )
        if not text:  # so the file is until the kernel's search has missed the part often enough
            raise BusError(f"{self._id}: it does not answer the kernel; check its wire and supply")
        answer = ANSWER.match(text)
        if answer is None or answer[3] != "YES" or answer[1] in {OPEN_LINE, HELD_LINE}:
            raise BadFrame(
                f"{self._id}: {text.splitlines()[0]}: no whole answer; "
                "check cable length, pull-up, and that ground is wired"
            )
        return int(answer[4]), answer[1].split()
