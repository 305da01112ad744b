"""A DS3231 as a register file: what Maxim's datasheet 19-5170 (figure 1, p. 11-15) says it answers.

It counts in 24 hours and knows no alarms beyond their registers.
"""

from __future__ import annotations

import time
from calendar import timegm
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.virtual.kinds import Fate, Period, Table
from edgenode.virtual.playing import Chip
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

REGISTERS: Final = 0x13
SECOND_NS: Final = 1_000_000_000
CONVERSION_NS: Final = 64 * SECOND_NS  # a temperature holds so long
AFTER_POWER: Final = 946_684_800  # 2000-01-01, a Saturday
CONTROL: Final = 0x1C
EN32KHZ, STOPPED = 0x08, 0x80  # bits of the status; the second is OSF


class Ds3231Spec(Table, frozen=True, tag_field="kind", tag="ds3231"):
    """[[instrument]] kind = "ds3231": the time, and the °C of its case.

    `shows` is what it shows at its start, in POSIX seconds; 0 is this machine's time. `lost` says
    that nobody has set it since it stopped; without `battery` it stops whenever it vanishes.
    """

    sensor: str
    bus: str = "i2c"
    address: Literal[0x68] = 0x68
    every_ms: Period = 1000
    temperature: Play = Play("air_uci:T", decimals=2)
    shows: Annotated[int, Meta(ge=0, le=4_102_444_799)] = 0  # to the end of 2099
    lost: bool = False
    battery: bool = True


class VirtualDS3231(Chip):
    """One clock; misbehaves on command and logs what it answered."""

    quantities: ClassVar = ("temperature", "time_lost", "time")

    def __init__(self, spec: Ds3231Spec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns)
        self._first_ns = start_ns
        self._pointer = 0
        self._others = bytearray(REGISTERS)  # what is neither time nor temperature
        self._others[0x0E], self._others[0x0F] = CONTROL, EN32KHZ | STOPPED * spec.lost
        self._set(spec.shows or int(time.time()), start_ns)

    def _set(self, seconds: int, now_ns: int) -> None:
        self._seconds, self._set_ns = seconds, now_ns

    def _power_up(self, now_ns: int) -> None:
        if not self.spec.battery:
            self._others[0x0F] |= STOPPED
            self._set(AFTER_POWER, now_ns)

    def _shown(self, now_ns: int) -> int:
        """Return the time in POSIX seconds."""
        return self._seconds + (now_ns - self._set_ns) // SECOND_NS

    def _written(self, data: bytes, now_ns: int) -> None:
        """Set the pointer and what follows; a flag of the status can only be cleared."""
        if not data:
            return
        self._pointer = data[0] % REGISTERS
        registers = bytearray(self._registers(now_ns))
        for value in data[1:]:
            if self._pointer == 0x0F:
                value &= self._others[0x0F] | ~STOPPED  # noqa: PLW2901 - as the chip does
            registers[self._pointer] = value
            self._pointer = (self._pointer + 1) % REGISTERS
        if len(data) > 1:
            self._others[:] = registers
            self._set(_seconds(bytes(registers)), now_ns)

    def _answered(self, length: int, now_ns: int, fate: Fate) -> bytes:
        registers = self._registers(now_ns)
        first, self._pointer = self._pointer, (self._pointer + length) % REGISTERS
        if first <= 0x11 and first + length >= REGISTERS:
            self._log(self._values(now_ns), now_ns, fate)
        if fate == "garbage":
            return self._random.randbytes(length)
        return bytes(registers[(first + i) % REGISTERS] for i in range(length))

    def _registers(self, now_ns: int) -> bytes:
        at = time.gmtime(self._shown(now_ns))
        weekday, year = at.tm_wday + 1, at.tm_year % 100
        shown = (at.tm_sec, at.tm_min, at.tm_hour, weekday, at.tm_mday, at.tm_mon, year)
        quarters = round(self._celsius(now_ns) * 4)
        clock = bytes(value // 10 << 4 | value % 10 for value in shown)
        warmth = (quarters << 6 & 0xFFFF).to_bytes(2, "big")
        return clock + bytes(self._others[0x07:0x11]) + warmth

    def _celsius(self, now_ns: int) -> float:
        passed_ns = now_ns - self._first_ns
        play: Play = self.spec.temperature
        return play.value(self._row(now_ns - passed_ns % CONVERSION_NS))

    def _values(self, now_ns: int) -> tuple[float, ...]:
        lost = bool(self._others[0x0F] & STOPPED)
        return self._celsius(now_ns), float(lost), float(self._shown(now_ns))


def _seconds(registers: bytes) -> int:
    """Return the POSIX seconds that were written into the registers."""
    second, minute, hour, _, day, month, year = (
        (byte >> 4) * 10 + (byte & 0x0F) for byte in registers[:7]
    )
    return timegm((2000 + year, month, day, hour, minute, second))
