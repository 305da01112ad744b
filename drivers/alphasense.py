"""Alphasense A4 and B4 four-electrode cells (NO2, OX, CO, NO, SO2, H2S) behind an ADS1115 or two.

Datasheet: Alphasense AAN 803-04/-05 (drivers/aan803.py names second sources), those of the cells,
such as NO2-B43F (over 24 months until half of the signal is left), and Texas Instruments SBAS444D
of the converter (drivers/ads1115.py).

The working (WE) and the auxiliary electrode (AE) are always told as they were measured, so that
everything can be computed again with what is known later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from drivers.ads1115 import COUNTS, ENDS, Converter, Number, Pins, Rate, Volts
from drivers.electrodes import FAULT, Cell, Level, Pin, Told, concentration
from edgenode.bus import I2CDevice, I2CPlace
from edgenode.driver import Driver, Grade, Life, Options, WireKind
from edgenode.errors import DriverError
from edgenode.reading import Channel, Quality, Sample

PINS: Final[tuple[Pins, ...]] = ("0", "1", "2", "3")
EACH: Final = len(PINS)  # of one converter
MV: Final = 1000
ROOM: Final = (-50.0, 90.0)  # °C; a thermometer that says more is broken
LIFE: Final = Life(2 * 365.25 * 24, "cell")
WARMTH: Final = Channel("temperature", "Cel", -1, low=-50, high=90)

Celsius = Annotated[float, Meta(ge=-40, le=60, description="°C, from -40 to 60")]
Address = Annotated[int, Meta(ge=0x48, le=0x4B, description="0x48 to 0x4b")]


class Thermometer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[sensor.thermometer]: °C are factor times volts plus offset, such as of a board's Pt1000."""

    pin: Annotated[Pin, Meta(title="where it is wired")]
    factor: Annotated[Number, Meta(title="°C per volt: 1000 for the Pt1000 of an Alphasense AFE")]
    offset: Annotated[
        Number, Meta(title="°C at 0 V: 20 - 1000 * V20 for an AFE whose label says V20")
    ]


class AlphasenseOptions(Options, frozen=True):
    """What an installer must say: which cells, where, and how warm they are."""

    cells: Annotated[tuple[Cell, ...], Meta(min_length=1, max_length=4)]
    address: Address = 0x48
    second: Annotated[
        Address | None, Meta(title="of another converter, for more than four pins")
    ] = None
    thermometer: Thermometer | None = None
    temperature_c: Annotated[
        Celsius | None, Meta(title="where no thermometer is wired: values are estimated then")
    ] = None
    range_v: Annotated[Volts, Meta(title="full scale of the converter, in V, in quotes")] = "2.048"
    rate: Annotated[Rate, Meta(title="conversions a second: slower is quieter")] = 32

    def __post_init__(self) -> None:
        gases, pins = [cell.gas for cell in self.cells], list(self.pins())
        if len(set(gases)) < len(gases):
            raise ValueError("two cells for one gas: give them a sensor each")
        if len(set(pins)) < len(pins):
            raise ValueError("two wires at one pin")
        if max(pins) >= EACH and self.second is None:
            raise ValueError("pins 4 to 7 are those of a second converter; say its address")
        if self.second == self.address:
            raise ValueError("both converters have one address")
        if (self.thermometer is None) == (self.temperature_c is None):
            raise ValueError("give either a thermometer or a temperature_c")
        for cell in self.cells:
            if cell.gas == "ox" and "no2" in gases and cell.no2_sensitivity is None:
                raise ValueError("an ox cell beside a no2 cell needs its no2_sensitivity")

    def pins(self) -> Iterator[int]:
        """Yield every pin that is read, in the order of reading."""
        for cell in self.cells:
            yield from (cell.we, cell.ae)
        if self.thermometer:
            yield self.thermometer.pin

    def gas(self, cell: Cell) -> str:
        """Return what the channel of a cell is called: ox is ozone once NO2 is taken off."""
        no2 = any(other.gas == "no2" for other in self.cells)
        return "o3" if cell.gas == "ox" and no2 else cell.gas


def warmth(options: AlphasenseOptions, levels: Mapping[int, Level]) -> Told:
    """Return how warm the cells are; what was only said is an estimate."""
    if options.thermometer is None:
        return Told(options.temperature_c, Quality.ESTIMATED)
    level = levels[options.thermometer.pin]
    celsius = options.thermometer.factor * level.mv / MV + options.thermometer.offset
    sound = level.quality is Quality.OK and ROOM[0] <= celsius <= ROOM[1]
    return Told(celsius, Quality.OK) if sound else FAULT


def decode(options: AlphasenseOptions, counts: Mapping[int, int]) -> Sample:
    """Turn the counts of all pins into what the channels tell."""
    step_mv = float(options.range_v) * MV / COUNTS
    levels = {
        pin: Level(count * step_mv, Quality.CLAMPED if count in ENDS else Quality.OK)
        for pin, count in counts.items()
    }
    warm = warmth(options, levels)
    found: dict[str, Told] = {}
    for cell in sorted(options.cells, key=lambda cell: cell.gas == "ox"):  # it needs the NO2
        no2 = found.get("no2")
        found[cell.gas] = concentration(cell, levels[cell.we], levels[cell.ae], warm, no2)
    told: list[Told | Level] = []
    for cell in options.cells:
        told += [found[cell.gas], levels[cell.we], levels[cell.ae]]
    told += [warm] if options.thermometer else []
    values, quality = (tuple(column) for column in zip(*told, strict=True))
    return Sample(values, quality if any(quality) else ())


class Alphasense(Driver):
    """All cells behind one converter, or behind two that stand on one bus."""

    wire: ClassVar[WireKind] = "i2c"
    model: ClassVar[str] = "Alphasense"
    options: ClassVar[type[Options]] = AlphasenseOptions
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("no2", "[ppb]", -1, observed="AirQualityObserved/no2", low=-200, high=20_000),
        Channel("no2_we", "mV", -2, low=-6144, high=6144),
        Channel("no2_ae", "mV", -2, low=-6144, high=6144),
        WARMTH,
    )
    budget_s: ClassVar[float] = 1.5  # eight pins at 8 conversions a second; as a rule 0.25 s
    fastest_s: ClassVar[float] = 1.0
    addresses: ClassVar[tuple[int, ...]] = (0x48, 0x49, 0x4A, 0x4B)
    varies: ClassVar[bool] = True
    life: ClassVar[Life | None] = LIFE
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self,
        wire: I2CPlace,
        options: AlphasenseOptions,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._options, self._sleep = options, sleep
        self._wires: list[I2CDevice] = [wire]
        self._converters = [self._opened(wire, options.address)]
        if options.second is not None:
            self._wires.append(wire.at(options.second))
            try:
                self._converters.append(self._opened(self._wires[1], options.second))
            except DriverError:
                self._wires[1].close()  # whoever opened the first closes it
                raise

    @classmethod
    def declare(cls, options: Any) -> tuple[Channel, ...]:
        of_cells = [
            channel for cell in options.cells for channel in cell.channels(options.gas(cell))
        ]
        return (*of_cells, WARMTH) if options.thermometer else tuple(of_cells)

    def measures(self) -> tuple[Channel, ...]:
        return self.declare(self._options)

    def read(self, now_ms: int) -> Sample:
        """Convert every pin in turn. Raises BusError, BusTimeout or BadFrame."""
        del now_ms  # a conversion on request is about now by itself
        counts = {pin: self._count(pin) for pin in self._options.pins()}
        return decode(self._options, counts)

    def close(self) -> None:
        """Give the descriptors back; the converters sleep by themselves."""
        for wire in self._wires:
            wire.close()

    def _count(self, pin: int) -> int:
        converter = self._converters[pin // EACH]
        return converter.convert(PINS[pin % EACH], self._options.range_v)

    def _opened(self, wire: I2CDevice, address: int) -> Converter:
        where = f"ADS1115 at 0x{address:02x}"
        converter = Converter(wire, where, self._options.rate, self._sleep)
        converter.prove_identity()
        return converter
