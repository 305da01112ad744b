"""An SHT3x as its I2C commands: what Sensirion's SHT3x-DIS datasheet (§2.2, §4) says it answers.

It has no heater: those commands are not acknowledged. Its alert limits can be read and not set.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.rhythm import Rhythmic, held
from edgenode.virtual.series import Play

SINGLE_S: Final = {0x2400: 0.015, 0x240B: 0.006, 0x2416: 0.004}  # table 4, the longest
PERIODIC_S: Final = {0x2032: 2.0, 0x2130: 1.0, 0x2236: 0.5, 0x2334: 0.25, 0x2737: 0.1}  # table 10
FETCH: Final = 0xE000
BREAK: Final = 0x3093
RESET: Final = 0x30A2
SERIAL: Final = (0x3682, 0x3780)
STATUS: Final = 0xF32D
CLEAR_STATUS: Final = 0x3041
# Alert limits as the part has them from its maker (Sensirion's note "Alert mode, SHT3x"): 80 %RH
# and 60 °C, 79 and 58, 22 and -9, 20 and -10, in seven and nine bits.
ALERT_LIMITS: Final = {0xE11F: 0xCD33, 0xE114: 0xC92D, 0xE109: 0x3869, 0xE102: 0x3466}
BREAKING_S: Final = 0.001
STARTING_S: Final = 0.0015


class Sht3xSpec(Table, frozen=True, tag_field="kind", tag="sht3x"):
    """[[instrument]] kind = "sht3x": °C and %RH, one row of its series each `every_ms`."""

    sensor: str
    bus: str = "i2c"
    address: Annotated[int, Meta(ge=0x44, le=0x45)] = 0x44
    every_ms: Period = 1000
    temperature: Play = Play("air_uci:T", decimals=2)
    humidity: Play = Play("air_uci:RH", decimals=1)
    serial: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)] = 0x1A2B_3C4D


class VirtualSHT3x(Rhythmic):
    """One chip that plays weather, once when asked or by itself; it powers up in single shot."""

    quantities: ClassVar = ("temperature", "humidity")

    def _obey(self, command: int, arguments: list[int], now_ns: int) -> None:
        if arguments or (self._measuring and command not in {BREAK, FETCH, STATUS}):
            self._refuse()
        if command in SINGLE_S:
            self._tell(self._values(now_ns))
            self._work(SINGLE_S[command], now_ns)
        elif command in PERIODIC_S:
            self._begin(now_ns, PERIODIC_S[command])
        elif command == FETCH:
            self._tell(self._take(now_ns) if self._ready(now_ns) else None)
        elif command == BREAK:
            self._stop()
            self._work(BREAKING_S, now_ns)
        elif command == RESET:
            self._power_up(now_ns)
            self._work(STARTING_S, now_ns)
        elif command in SERIAL:
            self._say(self.spec.serial >> 16, self.spec.serial & 0xFFFF)
        elif command == STATUS:
            self._say(0)
        elif command in ALERT_LIMITS:
            self._say(ALERT_LIMITS[command])
        elif command == CLEAR_STATUS:
            self._say()
        else:
            self._refuse()

    def _tell(self, measured: tuple[float, ...] | None) -> None:
        """Have a measurement for whoever reads, the other way round than §4.13."""
        self._told = measured
        if measured is not None:
            celsius, percent = measured
            self._say(held((celsius + 45) / 175 * 0xFFFF), held(percent / 100 * 0xFFFF))
