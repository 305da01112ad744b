"""Sensirion SEN66: particles, climate, VOC and NOx index and CO2 in one box over I2C.

Datasheet: Sensirion SEN6x version 1: commands §4.8, device status §4.9. Each model of the family
has another command for its values, so that the others are refused by their names. Confirmed by
Sensirion's own driver sensirion-i2c-sen66 1.3.1, which also names the product types, and by
Adafruit's adafruit_sen6x. That early parts have an empty name is from ESPHome's component sen6x.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from drivers.sen import (
    ASKING_S,
    CO2,
    FAN,
    SIGNALS,
    START,
    TEXT_WORDS,
    SensorNode,
    Signal,
    named,
)
from edgenode.bus import I2CDevice
from edgenode.bus.held import aged
from edgenode.bus.sensirion import Commands, text
from edgenode.driver import Found, Options
from edgenode.errors import BadFrame, WrongDevice
from edgenode.reading import Channel, Sample

PRODUCT: Final = "SEN66"
TYPE: Final = 0xD002
TYPE_OF_SEN66: Final = "00085300"
SET_PRESSURE: Final = 0x6720
SEA_LEVEL_HPA: Final = 1013  # what the part assumes after power-on
LOWEST_HPA, HIGHEST_HPA = 700, 1200  # that it can be told
PA_PER_HPA: Final = 100
STOP, CLEAN = 0x0104, 0x5607
WEEK_MS: Final = 7 * 24 * 3_600_000  # as SEN5x and SPS30 do it by themselves
# The fan is blown free while the part is idle: what is sent, and the ms before the next step.
CLEANING: Final = ((STOP, 1_400), (CLEAN, 10_500), (START, 1_200))

CARBON_DIOXIDE: Final = Signal(
    Channel("co2", "ppm", 0, observed="AirQualityObserved/co2", low=0, high=40_000), 1, FAN | CO2
)


class SEN66Options(Options, frozen=True):
    """What an installer may choose."""

    address: Annotated[Literal[0x6B], Meta(description="its only one")] = 0x6B
    pressure_hpa: Annotated[
        int,
        Meta(
            ge=LOWEST_HPA,
            le=HIGHEST_HPA,
            title="usual pressure of the air at this place, by which CO2 is compensated",
            description="hPa, 700 to 1200",
        ),
    ] = SEA_LEVEL_HPA


class Cleaner:
    """Has the fan blown free after each week of measuring: a step with a read, none waits."""

    def __init__(self, part: Commands) -> None:
        self._part = part
        self._at = 0  # how many steps were taken
        self._next_ms: int | None = None  # when the next is due

    def busy(self, now_ms: int) -> bool:
        """Take the step that is due; return whether the part does something else than measure.

        Raises BusError.
        """
        if self._next_ms is None:
            self._next_ms = now_ms + WEEK_MS
        elif now_ms >= self._next_ms and self._at == len(CLEANING):
            self._at, self._next_ms = 0, now_ms + WEEK_MS
        elif now_ms >= self._next_ms:
            command, lasts_ms = CLEANING[self._at]
            self._part.send(command)
            self._at, self._next_ms = self._at + 1, now_ms + lasts_ms
        return self._at > 0


class SEN66(SensorNode):
    """One node. Its CO2 sensor calibrates itself: a week without fresh air makes it wrong."""

    model: ClassVar[str] = "SEN66"
    options: ClassVar[type[Options]] = SEN66Options
    signals: ClassVar[tuple[Signal, ...]] = (*SIGNALS, CARBON_DIOXIDE)
    channels: ClassVar[tuple[Channel, ...]] = tuple(s.channel for s in (*SIGNALS, CARBON_DIOXIDE))
    addresses: ClassVar[tuple[int, ...]] = (0x6B,)
    read_command: ClassVar[int] = 0x0300
    borrows: ClassVar[Mapping[str, str]] = {"pressure": "Pa"}

    def __init__(
        self, wire: I2CDevice, options: SEN66Options, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        where = f"SEN66 at 0x{options.address:02x}"
        part = Commands(wire, where, sleep)
        found = _product(part)
        if found is None or found[0] != PRODUCT:
            name = f"calls itself {found[0]!r}" if found else "has no name"
            raise WrongDevice(f"{where}: it {name}; of the SEN6x only a SEN66 is read")
        part.send(SET_PRESSURE, options.pressure_hpa, wait_s=ASKING_S)
        self._told_hpa, self._pressure_hpa = options.pressure_hpa, float(options.pressure_hpa)
        self._cleaner = Cleaner(part)
        self._newest = Sample(())
        super().__init__(wire, where, len(self.signals), sleep)

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its name, or by its type where it has none."""
        found = _product(Commands(wire, cls.model, sleep))
        if found is None or found[0] != PRODUCT:
            return None
        return Found(f"{PRODUCT}, serial number {found[1]}")

    def lend(self, quantity: str, value: float | None) -> None:
        """Compensate carbon dioxide with this from the next read on; the last stands for long."""
        del quantity
        if value is not None:
            self._pressure_hpa = min(max(value / PA_PER_HPA, LOWEST_HPA), HIGHEST_HPA)

    def read(self, now_ms: int) -> Sample:
        """Return the newest measurement. Raises BusError, BadFrame or ImpossibleValue."""
        if self._cleaner.busy(now_ms):
            self._first_ms = None  # it begins anew
            return aged(self._newest)
        if abs(self._pressure_hpa - self._told_hpa) >= 1:
            self._told_hpa = round(self._pressure_hpa)
            self._part.send(SET_PRESSURE, self._told_hpa, wait_s=ASKING_S)
        self._newest = super().read(now_ms)
        return self._newest


def _product(part: Commands) -> tuple[str, str] | None:
    """Return name and serial number; a part without a name is asked for its type."""
    found = named(part)
    if found is None or found[0]:
        return found
    try:
        kind = text(part.ask(TYPE, TEXT_WORDS, wait_s=ASKING_S))
    except BadFrame:
        return None
    return (PRODUCT if kind == TYPE_OF_SEN66 else f"type {kind}", found[1])
