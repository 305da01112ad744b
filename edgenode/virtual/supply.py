"""Power monitors as their registers: INA219 (SBOS448G §8.6) and INA226 (SBOS547B §7.6).

Both measure a supply all the time: shunt and bus in turn, averaged, then a flag that says so.
Current and power are computed from a calibration, as the datasheets' equations have it.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Fate, Period, Table
from edgenode.virtual.registers import RegisterChip
from edgenode.virtual.series import Play

Place = Annotated[int, Meta(ge=0x40, le=0x4F)]
Ohms = Annotated[float, Meta(gt=0)]
BATTERY: Final = Play("utility_power:U", gain=0.05, decimals=2)  # mains for a battery of 12 V
LOAD: Final = Play("utility_power:I", gain=0.05, decimals=3)

# From their codes, in µs: INA219 table 5, by the low bits where the highest is set; INA226
# tables 6 to 8.
INA219_SINGLE_US: Final = (84, 148, 276, 532)
INA219_SAMPLES_US: Final = 532
INA226_US: Final = (140, 204, 332, 588, 1100, 2116, 4156, 8244)
INA226_SAMPLES: Final = (1, 4, 16, 64, 128, 256, 512, 1024)


class Ina219Spec(Table, frozen=True, tag_field="kind", tag="ina219"):
    """[[instrument]] kind = "ina219": V and A of a supply, one row each `every_ms`."""

    sensor: str
    bus: str = "i2c"
    address: Place = 0x40
    every_ms: Period = 1000
    shunt_ohm: Ohms = 0.1
    voltage: Play = BATTERY
    current: Play = LOAD


class Ina226Spec(Table, frozen=True, tag_field="kind", tag="ina226"):
    """[[instrument]] kind = "ina226": V and A of a supply, one row each `every_ms`."""

    sensor: str
    bus: str = "i2c"
    address: Place = 0x40
    every_ms: Period = 1000
    shunt_ohm: Ohms = 0.02
    voltage: Play = BATTERY
    current: Play = LOAD


class VirtualMonitor(RegisterChip):
    """One chip on the wire of a supply; misbehaves on command and logs what it answered."""

    quantities: ClassVar = ("voltage", "current")
    RESET_CONFIG: ClassVar[int]
    KEPT: ClassVar[int]  # the bits of the configuration that are kept as they are written

    def _power_up(self, now_ns: int) -> None:
        self._config, self._calibration = self.RESET_CONFIG, 0
        self._began_ns, self._taken = now_ns, 0  # pairs since then whose flag was cleared

    def _configure(self, word: int, now_ns: int) -> None:
        """Reset by the highest bit, else begin to measure anew."""
        if word & 0x8000:
            self._power_up(now_ns)
            return
        self._config = word & self.KEPT | self.RESET_CONFIG & ~self.KEPT & 0x7FFF
        self._began_ns, self._taken = now_ns, 0

    @abstractmethod
    def _pair_ns(self) -> int:
        """Return how long a pair takes as it is set up."""

    def _pairs(self, now_ns: int) -> int:
        """Return how many pairs are finished; one only where it was triggered, none asleep."""
        mode = self._config & 7
        if mode in {0, 4}:
            return 0
        done = (now_ns - self._began_ns) // self._pair_ns()
        return done if mode > 4 else min(done, 1)

    def _measured(self, now_ns: int) -> tuple[float, float]:
        """Return V and A as the newest pair has them; zeros before the first."""
        pairs = self._pairs(now_ns)
        if not pairs:
            return 0.0, 0.0
        volts, amperes = self._values(self._began_ns + pairs * self._pair_ns())
        return volts, amperes

    def _ready(self, now_ns: int) -> bool:
        return self._pairs(now_ns) > self._taken

    def _clear(self, now_ns: int) -> None:
        self._taken = self._pairs(now_ns)

    def _told(self, now_ns: int, fate: Fate) -> None:
        """Log the pair whose shunt was read, once."""
        if self._ready(now_ns):
            self._log(self._measured(now_ns), now_ns, fate)


class VirtualINA219(VirtualMonitor):
    """An INA219: the flags stand below the bus voltage."""

    RESET_CONFIG: ClassVar = 0x399F
    KEPT: ClassVar = 0x3FFF

    def _pair_ns(self) -> int:
        codes = self._config >> 7 & 15, self._config >> 3 & 15
        return 1000 * sum(
            INA219_SAMPLES_US << (code & 7) if code & 8 else INA219_SINGLE_US[code & 3]
            for code in codes
        )

    def _put(self, register: int, word: int, now_ns: int) -> None:
        if register == 0:
            self._configure(word, now_ns)
        elif register == 5:
            self._calibration = word & 0xFFFE

    def _get(self, register: int, now_ns: int, fate: Fate) -> int:
        shunt, bus, current, power, overflow = self._registers(now_ns)
        if register == 1:
            self._told(now_ns, fate)
        flags = self._ready(now_ns) << 1 | overflow
        if register == 3:
            self._clear(now_ns)
        words = (self._config, shunt & 0xFFFF, bus << 3 | flags, power, current & 0xFFFF)
        return (*words, self._calibration)[register] if register <= 5 else 0xFFFF

    def _registers(self, now_ns: int) -> tuple[int, int, int, int, bool]:
        """Return counts of shunt, bus, current and power, and whether they have no room."""
        volts, amperes = self._measured(now_ns)
        most = 4000 << (self._config >> 11 & 3)
        shunt = min(max(round(amperes * self.spec.shunt_ohm / 10e-6), -most), most)
        bus = min(max(round(volts / 4e-3), 0), 8000 if self._config & 0x2000 else 4000)
        current = int(shunt * self._calibration / 4096)  # equation 4
        power = abs(current) * bus // 5000  # equation 5
        overflow = abs(current) > 0x7FFF or power > 0xFFFF
        return shunt, bus, current, power & 0xFFFF, overflow


class VirtualINA226(VirtualMonitor):
    """An INA226: the flags stand in a register of their own, whose reading clears them."""

    RESET_CONFIG: ClassVar = 0x4127
    KEPT: ClassVar = 0x0FFF

    def _power_up(self, now_ns: int) -> None:
        super()._power_up(now_ns)
        self._mask = self._limit = 0

    def _pair_ns(self) -> int:
        times = INA226_US[self._config >> 6 & 7] + INA226_US[self._config >> 3 & 7]
        return 1000 * times * INA226_SAMPLES[self._config >> 9 & 7]

    def _put(self, register: int, word: int, now_ns: int) -> None:
        if register == 0:
            self._configure(word, now_ns)
        elif register == 5:
            self._calibration = word & 0x7FFF
        elif register == 6:
            self._mask = word & 0xFC03
        elif register == 7:
            self._limit = word

    def _get(self, register: int, now_ns: int, fate: Fate) -> int:
        if register in {0xFE, 0xFF}:
            return 0x5449 if register == 0xFE else 0x2260
        shunt, bus, current, power, overflow = self._registers(now_ns)
        if register == 1:
            self._told(now_ns, fate)
        mask = self._mask | self._ready(now_ns) << 3 | overflow << 2
        if register == 6:
            self._clear(now_ns)
        words = (self._config, shunt & 0xFFFF, bus, power, current & 0xFFFF, self._calibration)
        return (*words, mask, self._limit)[register] if register <= 7 else 0xFFFF

    def _registers(self, now_ns: int) -> tuple[int, int, int, int, bool]:
        """Return counts of shunt, bus, current and power, and whether they have no room."""
        volts, amperes = self._measured(now_ns)
        shunt = min(max(round(amperes * self.spec.shunt_ohm / 2.5e-6), -0x8000), 0x7FFF)
        bus = min(max(round(volts / 1.25e-3), 0), 0x7FFF)
        current = int(shunt * self._calibration / 2048)  # equation 3
        power = round(abs(current) * bus / 20_000)  # equation 4
        overflow = abs(current) > 0x7FFF or power > 0xFFFF
        return shunt, bus, current, power & 0xFFFF, overflow
