"""An SPS30 as its I2C commands: what Sensirion's SPS30 datasheet (version 2.0, §4, §6) says."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.rhythm import Rhythmic, float_words
from edgenode.virtual.series import Play

PERIOD_S: Final = 1.0
EXECUTING_S: Final = 0.02  # start and stop (table 8)
RESETTING_S: Final = 0.1
AWAKE_NS: Final = 100_000_000  # so long the interface stays on after the first wake-up (§6.3.6)
FLOATS: Final = 0x0300
WAKE: Final = b"\x11\x03"
CLEANING_S: Final = 604_800
QUANTITIES: Final = (
    *("pm1", "pm25", "pm4", "pm10"),
    *("number_pm05", "number_pm1", "number_pm25", "number_pm4", "number_pm10"),
    "typical_size",
)


class Sps30Spec(Table, frozen=True, tag_field="kind", tag="sps30"):
    """[[instrument]] kind = "sps30": µg/m³, one row of its series each `every_ms`.

    No recorded series holds particles: carbon monoxide of the road, scaled, stands in for them.
    `status` are the bits of what is broken.
    """

    sensor: str
    bus: str = "i2c"
    address: Annotated[int, Meta(ge=0x69, le=0x69)] = 0x69
    every_ms: Period = 10_000
    pm1: Play = Play("air_uci:CO_GT", gain=7, decimals=1)
    pm25: Play = Play("air_uci:CO_GT", gain=10, decimals=1)
    pm4: Play = Play("air_uci:CO_GT", gain=12, decimals=1)
    pm10: Play = Play("air_uci:CO_GT", gain=14, decimals=1)
    serial: str = "0123456789ABCDEF"
    firmware: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0x0203
    status: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)] = 0


class VirtualSPS30(Rhythmic):
    """One sensor that plays dust once a second while it measures."""

    quantities: ClassVar = QUANTITIES

    def _power_up(self, now_ns: int) -> None:
        super()._power_up(now_ns)
        self.status = self.spec.status
        self._asleep = False
        self._pulse_ns: int | None = None  # when its interface was switched on in its sleep

    def _written(self, data: bytes, now_ns: int) -> None:
        if self._asleep:
            if data != WAKE or self._pulse_ns is None or now_ns - self._pulse_ns > AWAKE_NS:
                self._pulse_ns = now_ns
                self._refuse()
            self._power_up(now_ns)
        super()._written(data, now_ns)

    def _obey(self, command: int, arguments: list[int], now_ns: int) -> None:
        if command == 0x0010 and arguments == [FLOATS] and not self._measuring:
            self._begin(now_ns, PERIOD_S)
            self._work(EXECUTING_S, now_ns)
        elif command == 0x0104:
            self._stop()
            self._work(EXECUTING_S, now_ns)
        elif command == 0x1001 and not self._measuring:
            self._asleep, self._pulse_ns = True, None
        elif command == 0xD304:
            self._power_up(now_ns)
            self._work(RESETTING_S, now_ns)
        elif command != 0x1103:
            self._tell(command, now_ns)

    def _tell(self, command: int, now_ns: int) -> None:
        """Have what stands at a pointer for whoever reads."""
        if command == 0x0202:
            self._say(int(self._ready(now_ns)))
        elif command == 0x0300:
            self._told = self._take(now_ns)
            self._say(*float_words(self._told or ()))
        elif command == 0x8004:
            self._say(CLEANING_S >> 16, CLEANING_S & 0xFFFF)
        elif command == 0xD002:
            self._say_text("00080000", 8)
        elif command == 0xD033:
            self._say_text(self.spec.serial, 32)
        elif command == 0xD100:
            self._say(self.spec.firmware)
        elif command == 0xD206 and self.spec.firmware >= 0x0202:
            self._say(self.status >> 16, self.status & 0xFFFF)
        elif command == 0xD210:
            self.status = self.spec.status
        else:
            self._refuse()

    def _values(self, now_ns: int) -> tuple[float, ...]:
        return measured(self.spec, self._row(now_ns))


def measured(spec: Any, row: int) -> tuple[float, ...]:
    """Return masses as played; the numbers follow from them by fixed rules."""
    masses = [play.value(row) for play in (spec.pm1, spec.pm25, spec.pm4, spec.pm10)]
    numbers = [masses[0] * share for share in (6.5, 7.6, 7.8, 7.85, 7.9)]
    return (*masses, *numbers, 0.4 + masses[3] / 1000)
