"""An SHT4x as its I2C commands: what Sensirion's SHT4x datasheet (§3.2, §4) says it answers.

It has no heater: those commands are not acknowledged, like every other that it does not know.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.rhythm import held
from edgenode.virtual.sensirion import Commanded
from edgenode.virtual.series import Play

MEASURING_S: Final = {0xFD: 0.0083, 0xF6: 0.0045, 0xE0: 0.0016}  # table 4, the longest
SERIAL: Final = 0x89
RESET: Final = 0x94
STARTING_S: Final = 0.001  # after power-on and reset


class Sht4xSpec(Table, frozen=True, tag_field="kind", tag="sht4x"):
    """[[instrument]] kind = "sht4x": °C and %RH, one row of its series each `every_ms`."""

    sensor: str
    bus: str = "i2c"
    address: Annotated[int, Meta(ge=0x44, le=0x46)] = 0x44
    every_ms: Period = 1000
    temperature: Play = Play("air_uci:T", decimals=2)
    humidity: Play = Play("air_uci:RH", decimals=1)
    serial: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)] = 0x0FA1_2B3C


class VirtualSHT4x(Commanded):
    """One chip that plays weather; misbehaves on command and logs what it answered."""

    quantities: ClassVar = ("temperature", "humidity")
    width: ClassVar = 1

    def _power_up(self, now_ns: int) -> None:
        self._answer, self._told = b"", None
        self._work(STARTING_S, now_ns)

    def _obey(self, command: int, arguments: list[int], now_ns: int) -> None:
        if command == RESET:
            self._power_up(now_ns)
        elif command == SERIAL:
            self._say(self.spec.serial >> 16, self.spec.serial & 0xFFFF)
        elif command in MEASURING_S and not arguments:
            celsius, percent = self._told = self._values(now_ns)
            self._say(held((celsius + 45) / 175 * 0xFFFF), held((percent + 6) / 125 * 0xFFFF))
            self._work(MEASURING_S[command], now_ns)
        else:
            self._refuse()
