"""What proves the SHT4x driver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from drivers import sht4x
from drivers.sht4x import SHT4x, SHT4xOptions
from edgenode.bus import sensirion
from edgenode.virtual.sht4x import Sht4xSpec, VirtualSHT4x
from tests.drivers.known_sht4x import (
    MUTANTS,
    OF_THE_CHECKSUM,
    checksums_hold,
    known_answers_hold,
)
from tests.drivers.test_sht4x import ANSWERS
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, Sleeper, adafruit
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, Mutants, Oracle, Proof
from tests.support.sensirion import damage

MINUTE_S = 60  # a row of what is played: both drivers measure within it


def part(bed: Bed) -> Wire:
    """Play the weather."""
    return Address(bed, VirtualSHT4x(Sht4xSpec("s"), bed.truth, bed.now_ns))


def as_adafruit() -> Iterator[Agreement]:
    """Let both read the same virtual chip."""
    plays: Any = {"temperature": Anything(-45, 130), "humidity": Anything(-6, 119)}
    bed = Bed()
    chip = VirtualSHT4x(Sht4xSpec("air", every_ms=MINUTE_S * 1000, **plays), bed.truth, 0)
    bus = ChipBus({0x44: chip})
    library = adafruit("adafruit_sht4x")
    with patch.object(library, "time", Sleeper(bus.sleep)):
        ours = SHT4x(bus.device(0x44), SHT4xOptions(), sleep=bus.sleep)
        theirs = library.SHT4x(bus)
        assert theirs.serial_number == chip.spec.serial
        for _ in range(FRAMES):
            bus.sleep(MINUTE_S)
            values = ours.read(0).values
            yield Agreement(bus.said, values, theirs.measurements, (0.01, 0.1))


PROOFS = (
    Proof(
        driver="sht4x",
        part=part,
        options={},
        against=(Oracle("adafruit-circuitpython-sht4x", "adafruit_sht4x", as_adafruit),),
        known="66 66 93 80 00 A2 is 25.00 °C and 56.50 %: Linux sht4x, Adafruit, Sensirion",
        mutants=(
            Mutants(sht4x, tuple(MUTANTS), known_answers_hold),
            Mutants(sensirion, tuple(OF_THE_CHECKSUM), checksums_hold),
        ),
        damage=damage(SHT4x, ANSWERS, b"\xfd"),
        found="SHT4x, serial number",
        waits=("sleep",),
    ),
)
