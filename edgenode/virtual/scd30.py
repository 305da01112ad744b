"""An SCD30 as its I2C commands: what Sensirion's "Interface Description SCD30" (§1.4) says.

It takes settings and does not follow them, the interval aside: what it plays is what it says. It
does not stretch the clock, which is a matter of wires and not of bytes.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.rhythm import Rhythmic, float_words
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

START: Final = 0x0010
INTERVAL: Final = 0x4600
# Settings and what they are from the factory; all but the reference stand in a lasting memory.
FACTORY: Final = {START: 0, INTERVAL: 2, 0x5102: 0, 0x5204: 400, 0x5306: 0, 0x5403: 0}
ANSWERING_S: Final = 0.003  # so long after a command it is not to be asked for the answer
BOOTING_S: Final = 2.0


class Scd30Spec(Table, frozen=True, tag_field="kind", tag="scd30"):
    """[[instrument]] kind = "scd30": ppm, °C and %RH, one row of its series each `every_ms`.

    No recorded series holds carbon dioxide: carbon monoxide of the road, shifted and scaled,
    stands in for it.
    """

    sensor: str
    bus: str = "i2c"
    address: Annotated[int, Meta(ge=0x61, le=0x61)] = 0x61
    every_ms: Period = 2_000
    co2: Play = Play("air_uci:CO_GT", gain=40, offset=420, decimals=1)
    temperature: Play = Play("air_uci:T", decimals=2)
    humidity: Play = Play("air_uci:RH", decimals=1)
    firmware: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0x0342


class VirtualSCD30(Rhythmic):
    """One sensor that plays air in its interval; its memory outlives its power."""

    quantities: ClassVar = ("co2", "temperature", "humidity")

    def __init__(self, spec: Scd30Spec, truth: Truth, start_ns: int) -> None:
        self.settings = dict(FACTORY)
        self.writes = 0  # to its memory
        self._runs = False
        super().__init__(spec, truth, start_ns)

    def _power_up(self, now_ns: int) -> None:
        super()._power_up(now_ns)
        self.settings[0x5204] = FACTORY[0x5204]
        if self._runs:  # it goes on by itself
            self._begin(now_ns, self.settings[INTERVAL])

    def _obey(self, command: int, arguments: list[int], now_ns: int) -> None:
        self._work(ANSWERING_S, now_ns)
        if arguments:
            self._set(command, arguments, now_ns)
        elif command == 0x0104:
            self._runs = False
            self._stop()
        elif command == 0xD304:
            self._power_up(now_ns)
            self._work(BOOTING_S, now_ns)
        else:
            self._tell(command, now_ns)

    def _set(self, command: int, arguments: list[int], now_ns: int) -> None:
        if command not in self.settings or len(arguments) != 1:
            self._refuse()
        (self.settings[command],) = arguments
        self.writes += 1
        if command == START:
            self._runs = True
        if self._runs and command in {START, INTERVAL}:
            self._begin(now_ns, self.settings[INTERVAL])

    def _tell(self, command: int, now_ns: int) -> None:
        """Have what was asked for; without a new measurement there is nothing to read."""
        if command in self.settings:
            self._say(self.settings[command])
        elif command == 0x0202:
            self._say(int(self._ready(now_ns)))
        elif command == 0x0300:
            self._told = self._take(now_ns) if self._ready(now_ns) else None
            self._say(*float_words(self._told or ()))
        elif command == 0xD100:
            self._say(self.spec.firmware)
        else:
            self._refuse()
