"""What INA219 and INA226 have in common: voltages of a bus and of a shunt, measured all the time.

The chip measures without a pause and averages; a read takes the newest pair. Its conversion-ready
flag, cleared by each read, says that there is one. Current and power are computed here from the
two voltages and the shunt: the chip's own registers for them hold nothing once a dip of the supply
has taken its calibration. Its overflow flag is about those alone, so it is not asked for.
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final, NamedTuple

from msgspec import Meta

from edgenode.bus import I2CDevice
from edgenode.bus.words import Words
from edgenode.driver import Driver, WireKind
from edgenode.errors import BusTimeout
from edgenode.reading import Channel, Quality, Sample

REG_CONFIG: Final = 0x00
REG_SHUNT: Final = 0x01
REG_BUS: Final = 0x02
REG_POWER: Final = 0x03
RESET: Final = 0x8000  # in the configuration; clears itself
TRIES: Final = 6
PER_TRY: Final = 4  # a pair takes so many of the naps between tries, so five are enough

Address = Annotated[
    int, Meta(ge=0x40, le=0x4F, description="0x40 to 0x4f, by what A0 and A1 are wired to")
]
Shunt = Annotated[
    float,
    Meta(
        ge=1e-5,
        le=100,
        title="of the resistor: R100 is 0.1",
        description="ohm, from 0.00001 to 100",
    ),
]


class Scale(NamedTuple):
    """What the registers of a part mean, as it is set up."""

    shunt_v: float  # V of one count across the shunt
    bus_v: float  # V of one count of the bus
    shunt_most: int  # the count at which the shunt's register stops, either sign
    bus_most: int

    def channels(self, ohms: float, most_v: float) -> tuple[Channel, ...]:
        """Return voltage, current and power with the resolution that the shunt gives them."""
        step_a = self.shunt_v / ohms
        most_a = round(step_a * self.shunt_most, 9)
        most_w = round(most_a * most_v, 9)
        return (
            Channel("voltage", "V", decade(self.bus_v), low=0, high=most_v),
            Channel("current", "A", decade(step_a), low=-most_a, high=most_a),
            Channel("power", "W", decade(step_a * most_v), low=-most_w, high=most_w),
        )

    def decode(self, shunt: int, bus: int, ohms: float) -> Sample:
        """Turn counts into V, A and W; what stands at its end is marked as clamped.

        A current that flows backwards is negative, and so is its power.
        """
        volts, amperes = bus * self.bus_v, shunt * self.shunt_v / ohms
        values = (volts, amperes, volts * amperes)
        of_voltage, of_current = bus >= self.bus_most, abs(shunt) >= self.shunt_most
        if not (of_voltage or of_current):
            return Sample(values)
        held = (of_voltage, of_current, of_voltage or of_current)
        return Sample(values, tuple(Quality.CLAMPED if one else Quality.OK for one in held))


def decade(step: float) -> int:
    """Return the power of ten that is not coarser than `step`."""
    return math.floor(math.log10(step) + 1e-9)  # 1e-4 / 0.1 is a little less than 1e-3


class Monitor(Driver):
    """One chip, set up at its opening and then only read."""

    wire: ClassVar[WireKind] = "i2c"
    budget_s: ClassVar[float] = 1.0  # 3 ms as a rule; the first read waits for a pair
    fastest_s: ClassVar[float] = 0.05
    addresses: ClassVar[tuple[int, ...]] = tuple(range(0x40, 0x50))
    varies: ClassVar[bool] = True  # resolution and range, by the shunt

    def __init__(
        self, wire: I2CDevice, options: Any, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c, self._sleep = wire, sleep
        self._where = f"{self.model} at 0x{options.address:02x}"
        self._words = Words(wire, self._where)
        self._channels = self.declare(options)
        self._options = options
        self._config, self._pair_s = self._plan(options)
        self._prove_identity()
        self._words.put(REG_CONFIG, self._config)

    def measures(self) -> tuple[Channel, ...]:
        return self._channels

    def read(self, now_ms: int) -> Sample:
        """Take the newest pair. Raises BusError, BusTimeout or BadFrame."""
        del now_ms  # the pair is not older than it takes to measure one
        for _ in range(TRIES):
            sample = self._newest()
            if sample is not None:
                self._words.prove(REG_CONFIG, self._config)
                return sample
            self._sleep(self._pair_s / PER_TRY)
        self._words.prove(REG_CONFIG, self._config)  # what was reset or put to sleep says so
        raise BusTimeout(f"{self._where}: does not finish a measurement; is its supply stable?")

    def close(self) -> None:
        """Give the descriptor back; the chip goes on measuring, which takes it a milliampere."""
        self._i2c.close()

    @abstractmethod
    def _plan(self, options: Any) -> tuple[int, float]:
        """Return the configuration, and the longest time that a pair takes, in s."""

    @abstractmethod
    def _prove_identity(self) -> None:
        """Reset the chip; raise WrongDevice if it is another one."""

    @abstractmethod
    def _newest(self) -> Sample | None:
        """Return the newest pair if it was not read before, and clear the flag that says so."""
