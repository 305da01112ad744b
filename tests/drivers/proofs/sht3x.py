"""What proves the SHT3x driver."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any
from unittest.mock import patch

from drivers import sht, sht3x
from drivers.sht3x import SHT3x, SHT3xOptions
from edgenode.virtual.sht3x import Sht3xSpec, VirtualSHT3x
from tests.drivers.known_sht3x import (
    ANSWERS,
    MUTANTS,
    OF_BOTH,
    known_answers_hold,
    what_both_share_holds,
)
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, Sleeper, adafruit
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, Mutants, Oracle, Proof
from tests.support.sensirion import channel, damage

MINUTE_S = 60  # a row of what is played: both drivers measure within it
STEPS = (0.01, 0.1)


def part(bed: Bed) -> Wire:
    """Play the weather."""
    return Address(bed, VirtualSHT3x(Sht3xSpec("s"), bed.truth, bed.now_ns))


def bench() -> tuple[ChipBus, SHT3x]:
    """Return a chip on its bus that plays its whole range and the ends of it, and our driver."""
    plays: Any = {"temperature": Anything(-50, 135), "humidity": Anything(-5, 105)}
    spec = Sht3xSpec("air", every_ms=MINUTE_S * 1000, **plays)
    bus = ChipBus({0x44: VirtualSHT3x(spec, Bed().truth, 0)})
    return bus, SHT3x(bus.device(0x44), SHT3xOptions(), sleep=bus.sleep)


def as_adafruit() -> Iterator[Agreement]:
    """Let both read the same virtual chip."""
    bus, ours = bench()
    library = adafruit("adafruit_sht31d")
    with patch.object(library, "time", Sleeper(bus.sleep)):
        theirs = library.SHT31D(bus)
        assert theirs.serial_number == Sht3xSpec("air").serial
        for _ in range(FRAMES):
            bus.sleep(MINUTE_S)
            values = ours.read(0).values
            yield Agreement(bus.said, values, (theirs.temperature, theirs.relative_humidity), STEPS)


def as_sensirion() -> Iterator[Agreement]:
    """Let both read the same virtual chip."""
    bus, ours = bench()
    library = import_module("sensirion_i2c_sht3x")
    theirs = library.Sht3xDevice(channel(bus, 0x44))
    single_shot = import_module("sensirion_i2c_sht3x.commands").Repeatability.HIGH
    for _ in range(FRAMES):
        bus.sleep(MINUTE_S)
        values = ours.read(0).values
        measured = theirs.measure_single_shot(single_shot, False)
        yield Agreement(bus.said, values, tuple(one.value for one in measured), STEPS)


PROOFS = (
    Proof(
        driver="sht3x",
        part=part,
        options={},
        against=(
            Oracle("adafruit-circuitpython-sht31d", "adafruit_sht31d", as_adafruit),
            Oracle("sensirion-i2c-sht3x", "sensirion_i2c_sht3x", as_sensirion),
        ),
        known="66 66 93 80 00 A2 is 25.00 °C and 50.00 % by the datasheet's formulas",
        mutants=(
            Mutants(sht3x, MUTANTS, known_answers_hold),
            Mutants(sht, OF_BOTH, what_both_share_holds),
        ),
        damage=damage(SHT3x, ANSWERS, b"\x24\x00"),
        found="SHT3x, serial number 1a2b3c4d",
        waits=("sleep",),
    ),
)
