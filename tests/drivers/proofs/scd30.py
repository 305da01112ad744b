"""What proves the SCD30 driver."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from math import isfinite, nan
from typing import Any
from unittest.mock import patch

from drivers import scd30
from drivers.scd30 import SCD30, SCD30Options
from edgenode.virtual.scd30 import Scd30Spec, VirtualSCD30
from tests.drivers.known_scd30 import AIR, ANSWERS, MUTANTS, known_answers_hold
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, Sleeper, adafruit
from tests.support.fake_sensirion import FakeSensirion
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, Damage, Mutants, Oracle, Proof
from tests.support.sensirion import channel, slots

PERIOD_S = 2


class NowAndThen(Anything):
    """Any value; what is no measurement in some rows."""

    def __init__(self, low: float, high: float, every: int, nothing: float) -> None:
        super().__init__(low, high)
        self.every, self.nothing = every, nothing

    def value(self, row: int) -> float:
        return super().value(row) if row % self.every else self.nothing


def part(bed: Bed) -> Wire:
    """Play the air."""
    return Address(bed, VirtualSCD30(Scd30Spec("s"), bed.truth, bed.now_ns))


def bus() -> ChipBus:
    """Return a chip on its bus; each of them plays the same, its whole range and no number."""
    plays: Any = {
        "co2": NowAndThen(1, 40_000, 10, 0.0),
        "temperature": Anything(-40, 70),
        "humidity": NowAndThen(0, 100, 7, nan),
    }
    return ChipBus({0x61: VirtualSCD30(Scd30Spec("air", **plays), Bed().truth, 0)})


def measured(theirs: Any, frame: bytes, values: tuple[float | None, ...]) -> Agreement:
    """Compare; neither of them knows that 0 ppm or no number is no measurement."""
    ppm, *weather = (value if isfinite(value) else None for value in theirs)
    return Agreement(frame, values, (ppm or None, *weather), (0.0,) * 3)


def as_adafruit() -> Iterator[Agreement]:
    """Let each read a chip of its own, since a measurement is told once."""
    one, other = bus(), bus()
    library = adafruit("adafruit_scd30")
    ours = SCD30(one.device(0x61), SCD30Options(), sleep=one.sleep)
    with patch.object(library, "time", Sleeper(other.sleep)):
        theirs = library.SCD30(other)
        assert theirs.firmware_version == "3.66"
        for now_ms in slots(FRAMES, PERIOD_S, one, other):
            values = ours.read(now_ms).values
            told = (theirs.CO2, theirs.temperature, theirs.relative_humidity)
            yield measured(told, one.said, values)


def as_sensirion() -> Iterator[Agreement]:
    """Let each read a chip of its own, since a measurement is told once."""
    one, other = bus(), bus()
    theirs = import_module("sensirion_i2c_scd30").Scd30Device(channel(other, 0x61))
    ours = SCD30(one.device(0x61), SCD30Options(), sleep=one.sleep)
    theirs.start_periodic_measurement(0)
    for now_ms in slots(FRAMES, PERIOD_S, one, other):
        assert theirs.get_data_ready()
        values = ours.read(now_ms).values
        told = theirs.read_measurement_data()
        assert one.said == other.said
        yield measured(told, one.said, values)


def decoded(pieces: list[bytes]) -> list[Any]:
    """Read a chip that answers so."""
    chip = FakeSensirion({**ANSWERS, b"\x03\x00": b"".join(pieces)})
    return [SCD30(chip, SCD30Options(), sleep=lambda _: None).read(0)]


PROOFS = (
    Proof(
        driver="scd30",
        part=part,
        options={},
        against=(
            Oracle("adafruit-circuitpython-scd30", "adafruit_scd30", as_adafruit),
            Oracle("sensirion-i2c-scd30", "sensirion_i2c_scd30", as_sensirion),
        ),
        known="439 ppm, 27.2 °C, 48.8 % of the example in Sensirion's interface description",
        mutants=(Mutants(scd30, MUTANTS, known_answers_hold),),
        damage=Damage(lambda: AIR, decoded),
        found="SCD30, firmware 3.66",
        every_ms=2_000,
        waits=("sleep",),
    ),
)
