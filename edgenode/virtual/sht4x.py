"""An SHT4x as its I2C commands: what Sensirion's SHT4x datasheet (§3.2, §4) says it answers.

It has no heater: those commands are not acknowledged, like every other that it does not know.
"""

from __future__ import annotations

import errno
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.conduct import Refused
from edgenode.virtual.kinds import Fate, Period, Table
from edgenode.virtual.playing import Chip
from edgenode.virtual.sensirion import checked
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

MEASURING_NS: Final = {0xFD: 8_300_000, 0xF6: 4_500_000, 0xE0: 1_600_000}  # table 4, the longest
SERIAL: Final = 0x89
RESET: Final = 0x94
STARTING_NS: Final = 1_000_000  # after power-on and reset


class Sht4xSpec(Table, frozen=True, tag_field="kind", tag="sht4x"):
    """[[instrument]] kind = "sht4x": °C and %RH, one row of its series each `every_ms`."""

    sensor: str
    bus: str = "i2c"
    address: Annotated[int, Meta(ge=0x44, le=0x46)] = 0x44
    every_ms: Period = 1000
    temperature: Play = Play("air_uci:T", decimals=2)
    humidity: Play = Play("air_uci:RH", decimals=1)
    serial: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)] = 0x0FA1_2B3C


class VirtualSHT4x(Chip):
    """One chip that plays weather; misbehaves on command and logs what it answered."""

    quantities: ClassVar = ("temperature", "humidity")

    def __init__(self, spec: Sht4xSpec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns)
        self._power_up(start_ns - STARTING_NS)  # it had power before anybody looked

    def _power_up(self, now_ns: int) -> None:
        self._busy_ns = now_ns + STARTING_NS
        self._answer = b""
        self._measured: tuple[float, ...] | None = None  # what the answer is about

    def _written(self, data: bytes, now_ns: int) -> None:
        self._refuse_while_busy(now_ns)
        if not data:
            return  # an empty write only asks whether anybody is there
        command = data[0]
        if command == RESET:
            self._power_up(now_ns)
        elif command == SERIAL:
            self._answer, self._measured = checked(self.spec.serial.to_bytes(4, "big")), None
        elif command in MEASURING_NS:
            self._measured = self._values(now_ns)
            self._answer = checked(_ticks(*self._measured))
            self._busy_ns = now_ns + MEASURING_NS[command]
        else:
            raise Refused(errno.ENXIO)

    def _answered(self, length: int, now_ns: int, fate: Fate) -> bytes:
        """Give an answer once; where there is none the read is not acknowledged (§4.2)."""
        self._refuse_while_busy(now_ns)
        if not self._answer:
            raise Refused(errno.ENXIO)
        answer, self._answer = self._answer, b""
        if self._measured is not None:
            self._log(self._measured, now_ns, fate)
        if fate == "garbage":
            return self._random.randbytes(length)
        return answer[:length].ljust(length, b"\xff")  # nobody pulls the line down behind the end

    def _refuse_while_busy(self, now_ns: int) -> None:
        if now_ns < self._busy_ns:
            raise Refused(errno.ENXIO)


def _ticks(celsius: float, percent: float) -> bytes:
    """Turn weather into the two raw words, the other way round than §4.6."""
    raw = (round((celsius + 45) / 175 * 0xFFFF), round((percent + 6) / 125 * 0xFFFF))
    return b"".join(min(max(ticks, 0), 0xFFFF).to_bytes(2, "big") for ticks in raw)
