"""What proves the BMP280 driver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from drivers import bmp280, bosch, bosch280
from drivers.bmp280 import BMP280, BMP280Options
from edgenode.virtual.bmp280 import Bmp280Spec, VirtualBMP280
from tests.drivers.known_bmp280 import MUTANTS, known_answers_hold
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
STEPS = (0.01, 1.0)


def part(bed: Bed) -> Wire:
    """Play the weather."""
    return Address(bed, VirtualBMP280(Bmp280Spec("s"), bed.truth, bed.now_ns))


def as_adafruit() -> Iterator[Agreement]:
    """Let both read the same virtual chip, over the whole range."""
    plays: Any = {"temperature": Anything(-40, 85), "pressure": Anything(30_000, 110_000)}
    bed = Bed()
    chip = VirtualBMP280(Bmp280Spec("air", every_ms=MINUTE_S * 1000, **plays), bed.truth, 0)
    bus = ChipBus({0x77: chip})
    library = adafruit("adafruit_bmp280")
    with patch.object(library, "sleep", bus.sleep):
        ours = BMP280(bus.device(0x77), BMP280Options(address=0x77), sleep=bus.sleep)
        theirs = library.Adafruit_BMP280_I2C(bus, 0x77)
        for _ in range(FRAMES):
            bus.sleep(MINUTE_S)
            values = ours.read(0).values
            given = (theirs.temperature, theirs.pressure * 100)
            yield Agreement(bytes(chip._memory[0xF7:0xFD]), values, given, STEPS)


PROOFS = (
    Proof(
        driver="bmp280",
        part=part,
        options={},
        against=(
            Oracle("adafruit-circuitpython-bmp280", "adafruit_bmp280", as_adafruit),
            KernelOracle("bmp280", "tests/lab/parts.py"),
        ),
        known="the example of BST-BMP280-DS001 §3.12, 25.08 °C and 100653.25 Pa: Linux bmp280, "
        "Adafruit",
        mutants=(
            Mutants(bmp280, tuple(MUTANTS), known_answers_hold),
            Mutants(bosch, tuple(OF_THE_COMPENSATION), compensation_holds),
            Mutants(bosch280, tuple(OF_FORCED_MODE), forced_mode_holds),
        ),
        damage="the chip has no checksum; a burst begins with what was written to it, so a chip "
        "that was reset or replaced and a line that floats are refused, one flipped bit is not",
        found="^BMP280, chip id 0x58$",
        waits=("sleep",),
    ),
)
