"""What proves the BME280 driver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from drivers import bme280, bosch, bosch280
from drivers.bme280 import BME280, BME280Options
from edgenode.virtual.bme280 import Bme280Spec, VirtualBME280
from tests.drivers.known_bme280 import MUTANTS, known_answers_hold
from tests.drivers.known_bosch import (
    OF_FORCED_MODE,
    OF_THE_COMPENSATION,
    compensation_holds,
    forced_mode_holds,
)
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, adafruit
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, KernelOracle, Mutants, Oracle, Proof

MINUTE_S = 60  # a row of what is played: both drivers measure within it
STEPS = (0.01, 0.1, 1.0)


def part(bed: Bed) -> Wire:
    """Play the weather."""
    return Address(bed, VirtualBME280(Bme280Spec("s"), bed.truth, bed.now_ns))


def as_adafruit() -> Iterator[Agreement]:
    """Let both read the same virtual chip, over the whole range and up to saturated air."""
    plays: Any = {
        "temperature": Anything(-40, 85),
        "humidity": Anything(0, 104),
        "pressure": Anything(30_000, 110_000),
    }
    bed = Bed()
    chip = VirtualBME280(Bme280Spec("air", every_ms=MINUTE_S * 1000, **plays), bed.truth, 0)
    bus = ChipBus({0x76: chip})
    library = adafruit("adafruit_bme280.basic")
    with patch.object(library, "sleep", bus.sleep):
        ours = BME280(bus.device(0x76), BME280Options(), sleep=bus.sleep)
        theirs = library.Adafruit_BME280_I2C(bus, 0x76)
        for _ in range(FRAMES):
            bus.sleep(MINUTE_S)
            values = ours.read(0).values
            given = (theirs.temperature, theirs.humidity, theirs.pressure * 100)
            yield Agreement(bytes(chip._memory[0xF7:0xFF]), values, given, STEPS)


PROOFS = (
    Proof(
        driver="bme280",
        part=part,
        options={},
        against=(
            Oracle("adafruit-circuitpython-bme280", "adafruit_bme280.basic", as_adafruit),
            KernelOracle("bmp280", "tests/lab/parts.py"),
        ),
        known="the example of BST-BMP280-DS001 §3.12, 25.08 °C and 100653.25 Pa: Linux bmp280, "
        "Adafruit; humidity: the integer formula of BST-BME280-DS002 §4.2.3",
        mutants=(
            Mutants(bme280, tuple(MUTANTS), known_answers_hold),
            Mutants(bosch, tuple(OF_THE_COMPENSATION), compensation_holds),
            Mutants(bosch280, tuple(OF_FORCED_MODE), forced_mode_holds),
        ),
        damage="the chip has no checksum; a burst begins with what was written to it, so a chip "
        "that was reset or replaced and a line that floats are refused, one flipped bit is not",
        found="^BME280, chip id 0x60$",
        waits=("sleep",),
    ),
)
