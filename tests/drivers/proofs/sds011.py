"""What proves the driver of the SDS011."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from drivers import sds011
from edgenode.reading import SerialLine
from edgenode.virtual.sds011 import Sds011Spec, VirtualSDS011
from tests.drivers.known_sds011 import MUTANTS, known_answers_hold
from tests.support.beds import Bed, Cable, Wire
from tests.support.hexdump import recorded
from tests.support.proofs import FRAMES, Agreement, Captures, Damage, Mutants, Oracle, Proof
from tests.support.pypms import observed
from tests.support.sds011 import opened, report

EDGES = (0, 0.1, 25.5, 25.6, 999.9, 6553.5)
# As PyPMS has published what it made of them, µg/m³ of both.
RECORDED = (0.6, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.8)


def part(bed: Bed) -> Wire:
    """Play dust."""
    instrument = VirtualSDS011(Sds011Spec("s"), bed.truth, bed.now_ns)
    return Cable(bed, instrument, SerialLine(9600))


def decoded(pieces: list[bytes]) -> list[Any]:
    """Return what is read of a stream."""
    sensor, port = opened(sds011)
    for piece in pieces:
        port.say(piece)
        sensor.feed(10)
    values = sensor.read(10).values[:2]
    return [values] if values != (None, None) else []


def read(said: bytes) -> tuple[float | None, ...]:
    values: tuple[float | None, ...] = decoded([said])[0]
    return values


def as_pypms() -> Iterator[Agreement]:
    """Let PyPMS decode the same frames; it takes 0 and 0 for warming up."""
    chance = random.Random(11)
    for n in range(FRAMES + len(EDGES)):
        pm25 = EDGES[n] if n < len(EDGES) else chance.randrange(0x1_0000) / 10
        said = report(pm25, 0.1 + chance.randrange(0xFFFF) / 10)
        seen = observed("SDS01x", said)
        yield Agreement(said, read(said), (seen.pm25, seen.pm10), (0.0, 0.0))


def as_recorded() -> Iterator[Agreement]:
    """Read a part that was recorded."""
    for said, both in zip(recorded("sds01x.hexdump"), RECORDED, strict=True):
        yield Agreement(said, read(said), (both, both), (0.0, 0.0))


PROOFS = (
    Proof(
        driver="sds011",
        part=part,
        options={"period_min": 5},
        against=(
            Oracle("PyPMS", "pms.core", as_pypms),
            Captures(
                "github.com/avaldebe/PyPMS, tests/captured_data (MIT): tests/data/README.md",
                as_recorded,
            ),
        ),
        known="aac00600060058d93dab is 0.6 and 0.6 µg/m³: recorded, PyPMS",
        mutants=(Mutants(sds011, MUTANTS, known_answers_hold),),
        damage=Damage(lambda: report(123.4, 567.8), decoded, pieces=True),
        found="SDS011, id 58d9",
        every_ms=300_000,
        waits=("clock",),
    ),
)
