"""What proves the TMP117 driver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from drivers import tmp117
from drivers.tmp117 import TMP117, TMP117Options
from edgenode.virtual.tmp117 import Tmp117Spec, VirtualTMP117
from tests.drivers.known_tmp117 import MUTANTS, known_answers_hold
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, Sleeper, adafruit
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, Mutants, Oracle, Proof

MINUTE_S = 60  # a row of what is played: both drivers read within it


def part(bed: Bed) -> Wire:
    """Play the weather."""
    return Address(bed, VirtualTMP117(Tmp117Spec("s"), bed.truth, bed.now_ns))


def as_adafruit() -> Iterator[Agreement]:
    """Let both read the same virtual chip, beyond its range on both sides."""
    temperature: Any = Anything(-120, 260)
    spec = Tmp117Spec("air", every_ms=MINUTE_S * 1000, temperature=temperature)
    bus = ChipBus({0x48: VirtualTMP117(spec, Bed().truth, 0)})
    library = adafruit("adafruit_tmp117")
    with patch.object(library, "time", Sleeper(bus.sleep)):
        theirs = library.TMP117(bus)
        ours = TMP117(bus.device(0x48), TMP117Options(), sleep=bus.sleep)
        for _ in range(FRAMES + FRAMES // 4):  # some are the same 16 bits
            bus.sleep(MINUTE_S)
            values = ours.read(bus.now_ns // 1_000_000).values
            given = (theirs.temperature,)
            yield Agreement(bus.said, values, given, (0.0,))


PROOFS = (
    Proof(
        driver="tmp117",
        part=part,
        options={},
        against=(Oracle("adafruit-circuitpython-tmp117", "adafruit_tmp117", as_adafruit),),
        known="table 7-1 of SNOSD82; 0x0c80 is 25.000 °C: Adafruit",
        mutants=(Mutants(tmp117, tuple(MUTANTS), known_answers_hold),),
        damage="the chip has no checksum; its configuration is read before and after each value, "
        "so a chip that was reset or replaced and a line that floats are refused, one bit is not",
        found="^TMP117, id 0x0117$",
        waits=("sleep",),
    ),
)
