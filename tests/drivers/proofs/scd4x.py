"""What proves the SCD4x driver."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any
from unittest.mock import patch

from drivers import scd4x
from drivers.scd4x import SCD4x, SCD4xOptions
from edgenode.virtual.scd4x import Scd4xSpec, VirtualSCD4x
from tests.drivers.known_scd4x import AIR, ANSWERS, MUTANTS, known_answers_hold
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, Sleeper, adafruit
from tests.support.fake_sensirion import FakeSensirion
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, Damage, Mutants, Oracle, Proof
from tests.support.sensirion import channel, slots

PERIOD_S = 5
STEPS = (0.0, 0.01, 0.1)


class NowAndThenNothing(Anything):
    """Any value; 0 ppm, "not ready", in each tenth row."""

    def value(self, row: int) -> float:
        return super().value(row) if row % 10 else 0.0


def part(bed: Bed) -> Wire:
    """Play the air."""
    return Address(bed, VirtualSCD4x(Scd4xSpec("s"), bed.truth, bed.now_ns))


def bus() -> ChipBus:
    """Return a chip on its bus; each of them plays the same, its whole range."""
    plays: Any = {
        "co2": NowAndThenNothing(1, 40_000),
        "temperature": Anything(-50, 135),
        "humidity": Anything(-5, 105),
    }
    return ChipBus({0x62: VirtualSCD4x(Scd4xSpec("air", **plays), Bed().truth, 0)})


def measured(theirs: Any, frame: bytes, values: tuple[float | None, ...]) -> Agreement:
    """Compare; neither of them knows that 0 ppm is no measurement."""
    ppm, *weather = theirs
    return Agreement(frame, values, (ppm or None, *weather), STEPS)


def as_adafruit() -> Iterator[Agreement]:
    """Let each read a chip of its own, since a measurement is told once."""
    one, other = bus(), bus()
    library = adafruit("adafruit_scd4x")
    ours = SCD4x(one.device(0x62), SCD4xOptions(), sleep=one.sleep)
    with patch.object(library, "time", Sleeper(other.sleep)):
        theirs = library.SCD4X(other)
        assert bytes(theirs.serial_number) == Scd4xSpec("air").serial.to_bytes(6, "big")
        theirs.start_periodic_measurement()
        for now_ms in slots(FRAMES, PERIOD_S, one, other):
            values = ours.read(now_ms).values
            told = (theirs.CO2, theirs.temperature, theirs.relative_humidity)
            yield measured(told, one.said, values)


def as_sensirion() -> Iterator[Agreement]:
    """Let each read a chip of its own, since a measurement is told once."""
    one, other = bus(), bus()
    theirs = import_module("sensirion_i2c_scd4x").Scd4xDevice(channel(other, 0x62))
    ours = SCD4x(one.device(0x62), SCD4xOptions(), sleep=one.sleep)
    theirs.start_periodic_measurement()
    for now_ms in slots(FRAMES, PERIOD_S, one, other):
        assert theirs.get_data_ready_status()
        values = ours.read(now_ms).values
        told = tuple(signal.value for signal in theirs.read_measurement())
        assert one.said == other.said
        yield measured(told, one.said, values)


def decoded(pieces: list[bytes]) -> list[Any]:
    """Read a chip that answers so."""
    chip = FakeSensirion({**ANSWERS, b"\xec\x05": b"".join(pieces)})
    return [SCD4x(chip, SCD4xOptions(), sleep=lambda _: None).read(0)]


PROOFS = (
    Proof(
        driver="scd4x",
        part=part,
        options={},
        against=(
            Oracle("adafruit-circuitpython-scd4x", "adafruit_scd4x", as_adafruit),
            Oracle("sensirion-i2c-scd4x", "sensirion_i2c_scd4x", as_sensirion),
        ),
        known="01F433 6667A2 5EB93C is 500 ppm, 25.00 °C, 37.00 %: Linux, Adafruit, Sensirion",
        mutants=(Mutants(scd4x, MUTANTS, known_answers_hold),),
        damage=Damage(lambda: AIR, decoded),
        found="SCD4x, serial number f8969f073bbe",
        every_ms=5_000,
        waits=("sleep",),
    ),
)
