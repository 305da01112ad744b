"""What proves the driver of the MH-Z19."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from drivers import mhz19
from edgenode.reading import SerialLine
from edgenode.virtual.mhz19 import MhZ19Spec, VirtualMHZ19
from tests.drivers.known_mhz19 import (
    MUTANTS,
    RECORDED_PPM,
    answer,
    known_answers_hold,
    opened,
)
from tests.support.beds import Bed, Cable, Wire
from tests.support.hexdump import recorded
from tests.support.proofs import FRAMES, Agreement, Captures, Damage, Mutants, Oracle, Proof
from tests.support.pypms import observed

EDGES = (1, 255, 256, 400, 5000, 9999, 10_000)


def part(bed: Bed) -> Wire:
    """Play air."""
    instrument = VirtualMHZ19(MhZ19Spec("s"), bed.truth, bed.now_ns)
    return Cable(bed, instrument, SerialLine(9600))


def decoded(pieces: list[bytes]) -> list[Any]:
    """Read a part that answers so, once it was opened."""
    sensor, cable = opened(mhz19, answer(400))
    cable.parts[:] = [lambda _: b"".join(pieces)]
    return [sensor.read(0).values]


def read(said: bytes) -> tuple[float | None, ...]:
    values: tuple[float | None, ...] = decoded([said])[0]
    return values


def as_pypms() -> Iterator[Agreement]:
    """Let PyPMS decode the same frames; it knows no checksum of 0."""
    chance = random.Random(19)
    values = [*EDGES, *chance.sample(range(1, 10_000), FRAMES)]
    for said in (frame for ppm in values if (frame := answer(ppm))[-1]):
        yield Agreement(said, read(said), (observed("MHZ19B", said).CO2,), (0.0,))


def as_recorded() -> Iterator[Agreement]:
    """Read a part that was recorded."""
    for said in recorded("mhz19b.hexdump"):
        yield Agreement(said, read(said), (RECORDED_PPM,), (0.0,))


PROOFS = (
    Proof(
        driver="mhz19",
        part=part,
        options={},
        against=(
            Oracle("PyPMS", "pms.core", as_pypms),
            Captures(
                "github.com/avaldebe/PyPMS, tests/captured_data (MIT): tests/data/README.md",
                as_recorded,
            ),
        ),
        known="ff86027c42000000ba is 636 ppm: recorded, PyPMS",
        mutants=(Mutants(mhz19, MUTANTS, known_answers_hold),),
        damage=Damage(lambda: answer(1234), decoded),
        found="MH-Z19B or MH-Z19C",
        every_ms=10_000,
        waits=("sleep",),
    ),
)
