"""An SCD4x as its I2C commands: what Sensirion's SCD4x datasheet (version 1.7, §3) says it answers.

It takes settings and does not follow them: what it plays is what it says.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.rhythm import Rhythmic, held
from edgenode.virtual.series import Play

STARTS_S: Final = {0x21B1: 5.0, 0x21AC: 30.0}  # commands that start, and the period
WHILE_MEASURING: Final = {0x3F86, 0xE4B8, 0xEC05, 0xE000}  # the rest asks for idle mode (table 9)
SETS: Final = {0x2427: 0x2322, 0x2416: 0x2313, 0x241D: 0x2318, 0xE000: 0xE000}  # and how to ask
FACTORY: Final = {0x2322: 0, 0x2313: 1, 0x2318: 0x05DA, 0xE000: 1013}  # 0x05DA is 4 °C
EXECUTING_S: Final = 0.001
STOPPING_S: Final = 0.5
WAKING_S: Final = 0.03


class Scd4xSpec(Table, frozen=True, tag_field="kind", tag="scd4x"):
    """[[instrument]] kind = "scd4x": ppm, °C and %RH, one row of its series each `every_ms`.

    No recorded series holds carbon dioxide: carbon monoxide of the road, shifted and scaled,
    stands in for it.
    """

    sensor: str
    bus: str = "i2c"
    address: Annotated[int, Meta(ge=0x62, le=0x62)] = 0x62
    every_ms: Period = 5_000
    co2: Play = Play("air_uci:CO_GT", gain=40, offset=420, decimals=0)
    temperature: Play = Play("air_uci:T", decimals=2)
    humidity: Play = Play("air_uci:RH", decimals=1)
    serial: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF_FFFF)] = 0xF896_9F07_3BBE


class VirtualSCD4x(Rhythmic):
    """One sensor that plays air each 5 s, or 30 s, while it measures."""

    quantities: ClassVar = ("co2", "temperature", "humidity")

    def _power_up(self, now_ns: int) -> None:
        super()._power_up(now_ns)
        self._asleep = False
        self.settings = dict(FACTORY)  # by the command that asks for them

    def _obey(self, command: int, arguments: list[int], now_ns: int) -> None:
        if command == 0x36F6:  # wakes it, and is never acknowledged
            if self._asleep:
                self._asleep = False
                self._work(WAKING_S, now_ns)
            self._refuse()
        if self._asleep or (self._measuring and command not in WHILE_MEASURING):
            self._refuse()
        self._work(STOPPING_S if command == 0x3F86 else EXECUTING_S, now_ns)
        if arguments:
            self._set(command, arguments)
        elif command in STARTS_S:
            self._begin(now_ns, STARTS_S[command])
        elif command == 0x3F86:
            self._stop()
        elif command == 0x36E0:
            self._asleep = True
        else:
            self._tell(command, now_ns)

    def _set(self, command: int, arguments: list[int]) -> None:
        if command not in SETS or len(arguments) != 1:
            self._refuse()
        self.settings[SETS[command]] = arguments[0]

    def _tell(self, command: int, now_ns: int) -> None:
        """Have what was asked for; without a new measurement there is nothing to read."""
        if command in self.settings:
            self._say(self.settings[command])
        elif command == 0xE4B8:
            self._say(0x8006 if self._ready(now_ns) else 0x8000)
        elif command == 0xEC05:
            self._told = self._take(now_ns) if self._ready(now_ns) else None
            self._say(*(_words(*self._told) if self._told else ()))
        elif command == 0x3682:
            self._say(*(self.spec.serial >> shift & 0xFFFF for shift in (32, 16, 0)))
        else:
            self._refuse()


def _words(ppm: float, celsius: float, percent: float) -> tuple[int, ...]:
    """Turn air into the three words, the other way round than §3.6.2."""
    return held(ppm), held((celsius + 45) / 175 * 0xFFFF), held(percent / 100 * 0xFFFF)
