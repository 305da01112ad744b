"""What proves the drivers of SCD30 and SCD4x."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from math import isfinite, nan
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from drivers import scd4x, scd30
from drivers.scd4x import SCD4x
from drivers.scd30 import SCD30
from edgenode.virtual.scd4x import Scd4xSpec, VirtualSCD4x
from edgenode.virtual.scd30 import Scd30Spec, VirtualSCD30
from tests.drivers import known_scd4x, known_scd30
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, Sleeper, adafruit
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, Mutants, Oracle, Proof
from tests.support.sensirion import channel, damage, slots


class NowAndThen(Anything):
    """Any value; what is no measurement in some rows."""

    def __init__(self, low: float, high: float, every: int, nothing: float) -> None:
        super().__init__(low, high)
        self.every, self.nothing = every, nothing

    def value(self, row: int) -> float:
        return super().value(row) if row % self.every else self.nothing


class Kind(NamedTuple):
    """One of both: what is played to it, its whole range, and how far others may differ."""

    driver: Any
    virtual: Any
    spec: Any
    address: int
    period_s: int
    plays: dict[str, Any]
    steps: tuple[float, ...]

    def part(self, bed: Bed) -> Wire:
        """Play the air."""
        return Address(bed, self.virtual(self.spec("s"), bed.truth, bed.now_ns))

    def seats(self) -> tuple[ChipBus, ChipBus, Any]:
        """Return a chip for us, its twin for them, since a measurement is told once, and ours."""
        spec = self.spec("air", **self.plays)
        one, other = (ChipBus({self.address: self.virtual(spec, Bed().truth, 0)}) for _ in range(2))
        ours = self.driver(one.device(self.address), self.driver.options(), sleep=one.sleep)
        return one, other, ours

    def compared(
        self, one: ChipBus, other: ChipBus, ours: Any, theirs: Callable[[], Any]
    ) -> Iterator[Agreement]:
        """Compare; they do not know that 0 ppm, or what is no number, is no measurement."""
        for now_ms in slots(FRAMES, self.period_s, one, other):
            values = ours.read(now_ms).values
            ppm, *weather = (value if isfinite(value) else None for value in theirs())
            yield Agreement(one.said, values, (ppm or None, *weather), self.steps)


OLD: Final = Kind(
    *(SCD30, VirtualSCD30, Scd30Spec, 0x61, 2),
    plays={
        "co2": NowAndThen(1, 40_000, 10, 0.0),
        "temperature": Anything(-40, 70),
        "humidity": NowAndThen(0, 100, 7, nan),
    },
    steps=(0.0, 0.0, 0.0),
)
YOUNG: Final = Kind(
    *(SCD4x, VirtualSCD4x, Scd4xSpec, 0x62, 5),
    plays={
        "co2": NowAndThen(1, 40_000, 10, 0.0),
        "temperature": Anything(-50, 135),
        "humidity": Anything(-5, 105),
    },
    steps=(0.0, 0.01, 0.1),
)


def scd30_as_adafruit() -> Iterator[Agreement]:
    """Read twins, one by each."""
    one, other, ours = OLD.seats()
    library = adafruit("adafruit_scd30")
    with patch.object(library, "time", Sleeper(other.sleep)):
        theirs = library.SCD30(other)
        assert theirs.firmware_version == "3.66"
        told = lambda: (theirs.CO2, theirs.temperature, theirs.relative_humidity)  # noqa: E731
        yield from OLD.compared(one, other, ours, told)


def scd4x_as_adafruit() -> Iterator[Agreement]:
    """Read twins, one by each."""
    one, other, ours = YOUNG.seats()
    library = adafruit("adafruit_scd4x")
    with patch.object(library, "time", Sleeper(other.sleep)):
        theirs = library.SCD4X(other)
        assert bytes(theirs.serial_number) == Scd4xSpec("air").serial.to_bytes(6, "big")
        theirs.start_periodic_measurement()
        told = lambda: (theirs.CO2, theirs.temperature, theirs.relative_humidity)  # noqa: E731
        yield from YOUNG.compared(one, other, ours, told)


def scd30_as_sensirion() -> Iterator[Agreement]:
    """Read twins, one by each."""
    one, other, ours = OLD.seats()
    theirs = import_module("sensirion_i2c_scd30").Scd30Device(channel(other, 0x61))
    theirs.start_periodic_measurement(0)
    yield from OLD.compared(one, other, ours, theirs.read_measurement_data)


def scd4x_as_sensirion() -> Iterator[Agreement]:
    """Read twins, one by each."""
    one, other, ours = YOUNG.seats()
    theirs = import_module("sensirion_i2c_scd4x").Scd4xDevice(channel(other, 0x62))
    theirs.start_periodic_measurement()
    told = lambda: tuple(signal.value for signal in theirs.read_measurement())  # noqa: E731
    yield from YOUNG.compared(one, other, ours, told)


PROOFS = (
    Proof(
        driver="scd30",
        part=OLD.part,
        options={},
        against=(
            Oracle("adafruit-circuitpython-scd30", "adafruit_scd30", scd30_as_adafruit),
            Oracle("sensirion-i2c-scd30", "sensirion_i2c_scd30", scd30_as_sensirion),
        ),
        known="439 ppm, 27.2 °C, 48.8 % of the example in Sensirion's interface description",
        mutants=(Mutants(scd30, known_scd30.MUTANTS, known_scd30.known_answers_hold),),
        damage=damage(SCD30, known_scd30.ANSWERS, b"\x03\x00"),
        found="SCD30, firmware 3.66",
        every_ms=2_000,
        waits=("sleep",),
    ),
    Proof(
        driver="scd4x",
        part=YOUNG.part,
        options={},
        against=(
            Oracle("adafruit-circuitpython-scd4x", "adafruit_scd4x", scd4x_as_adafruit),
            Oracle("sensirion-i2c-scd4x", "sensirion_i2c_scd4x", scd4x_as_sensirion),
        ),
        known="01F433 6667A2 5EB93C is 500 ppm, 25.00 °C, 37.00 %: Linux, Adafruit, Sensirion",
        mutants=(Mutants(scd4x, known_scd4x.MUTANTS, known_scd4x.known_answers_hold),),
        damage=damage(SCD4x, known_scd4x.ANSWERS, b"\xec\x05"),
        found="SCD4x, serial number f8969f073bbe",
        every_ms=5_000,
        waits=("sleep",),
    ),
)
