"""What proves the BME280 and BMP280 drivers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from unittest.mock import patch

from drivers import bme280, bmp280, bosch, bosch280
from drivers.bme280 import BME280, BME280Options
from drivers.bmp280 import BMP280, BMP280Options
from edgenode.virtual.bme280 import Bme280Spec, VirtualBME280
from edgenode.virtual.bmp280 import Bmp280Spec, VirtualBMP280
from tests.drivers import known_bme280, known_bmp280
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

MINUTE_S: Final = 60  # a row of what is played: both drivers measure within it
PLAYS: Final[dict[str, Any]] = {
    "every_ms": MINUTE_S * 1000,
    "temperature": Anything(-40, 85),
    "pressure": Anything(30_000, 110_000),
}
SATURATED: Final[dict[str, Any]] = {**PLAYS, "humidity": Anything(0, 104)}
EXAMPLE: Final = (
    "the example of BST-BMP280-DS001 §3.12, 25.08 °C and 100653.25 Pa: Linux bmp280, Adafruit"
)
OF_BOTH: Final = (
    Mutants(bosch, tuple(OF_THE_COMPENSATION), compensation_holds),
    Mutants(bosch280, tuple(OF_FORCED_MODE), forced_mode_holds),
)
UNNOTICED: Final = (
    "the chip has no checksum; a burst begins with what was written to it, so a chip that was "
    "reset or replaced and a line that floats are refused, one flipped bit is not"
)


def part_of_bme280(bed: Bed) -> Wire:
    """Play the weather."""
    return Address(bed, VirtualBME280(Bme280Spec("s"), bed.truth, bed.now_ns))


def part_of_bmp280(bed: Bed) -> Wire:
    """Play the weather."""
    return Address(bed, VirtualBMP280(Bmp280Spec("s"), bed.truth, bed.now_ns))


def bme280_as_adafruit() -> Iterator[Agreement]:
    """Let both read the same virtual chip, over the whole range and up to saturated air."""
    chip = VirtualBME280(Bme280Spec("air", **SATURATED), Bed().truth, 0)
    bus = ChipBus({0x76: chip})
    library = adafruit("adafruit_bme280.basic")
    with patch.object(library, "sleep", bus.sleep):
        ours = BME280(bus.device(0x76), BME280Options(), sleep=bus.sleep)
        theirs = library.Adafruit_BME280_I2C(bus, 0x76)
        for _ in range(FRAMES):
            bus.sleep(MINUTE_S)
            values = ours.read(0).values
            given = (theirs.temperature, theirs.humidity, theirs.pressure * 100)
            yield Agreement(bytes(chip._memory[0xF7:0xFF]), values, given, (0.01, 0.1, 1.0))


def bmp280_as_adafruit() -> Iterator[Agreement]:
    """Let both read the same virtual chip, over the whole range."""
    chip = VirtualBMP280(Bmp280Spec("air", **PLAYS), Bed().truth, 0)
    bus = ChipBus({0x77: chip})
    library = adafruit("adafruit_bmp280")
    with patch.object(library, "sleep", bus.sleep):
        ours = BMP280(bus.device(0x77), BMP280Options(address=0x77), sleep=bus.sleep)
        theirs = library.Adafruit_BMP280_I2C(bus, 0x77)
        for _ in range(FRAMES):
            bus.sleep(MINUTE_S)
            values = ours.read(0).values
            given = (theirs.temperature, theirs.pressure * 100)
            yield Agreement(bytes(chip._memory[0xF7:0xFD]), values, given, (0.01, 1.0))


PROOFS = (
    Proof(
        driver="bme280",
        part=part_of_bme280,
        options={},
        against=(
            Oracle("adafruit-circuitpython-bme280", "adafruit_bme280.basic", bme280_as_adafruit),
            KernelOracle("bmp280", "tests/lab/parts.py"),
        ),
        known=f"{EXAMPLE}; humidity: the integer formula of BST-BME280-DS002 §4.2.3",
        mutants=(
            Mutants(bme280, tuple(known_bme280.MUTANTS), known_bme280.known_answers_hold),
            *OF_BOTH,
        ),
        damage=UNNOTICED,
        found="^BME280, chip id 0x60$",
        waits=("sleep",),
    ),
    Proof(
        driver="bmp280",
        part=part_of_bmp280,
        options={},
        against=(
            Oracle("adafruit-circuitpython-bmp280", "adafruit_bmp280", bmp280_as_adafruit),
            KernelOracle("bmp280", "tests/lab/parts.py"),
        ),
        known=EXAMPLE,
        mutants=(
            Mutants(bmp280, tuple(known_bmp280.MUTANTS), known_bmp280.known_answers_hold),
            *OF_BOTH,
        ),
        damage=UNNOTICED,
        found="^BMP280, chip id 0x58$",
        waits=("sleep",),
    ),
)
