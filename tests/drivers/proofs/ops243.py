"""What proves the OPS243 driver."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from drivers import ops243
from drivers.ops243 import OPS243, report
from edgenode.bus.lines import Lines
from edgenode.reading import SerialLine
from edgenode.virtual.ops243 import Ops243Spec, VirtualOPS243
from edgenode.virtual.series import Play
from tests.drivers.known_ops243 import MUTANTS, known_answers_hold
from tests.support.beds import Bed, Cable, Wire
from tests.support.proofs import FRAMES, Agreement, Damage, Mutants, Oracle, Proof

STEADY: Any = {"every_ms": 20_000, "toward": Play(offset=5), "away": Play(offset=4)}


def part(bed: Bed) -> Wire:
    """Play a street with 1,600 vehicles an hour."""
    instrument = VirtualOPS243(Ops243Spec("s", **STEADY), bed.truth, bed.now_ns)
    return Cable(bed, instrument, OPS243.line or SerialLine())


def lines() -> Iterator[bytes]:
    """Yield lines of JSON over the whole range, and some at its ends."""
    chance = random.Random(243)
    speeds = [0.0, 0.1, 99.9, *(round(chance.uniform(0, 99.9), 2) for _ in range(FRAMES))]
    for speed in speeds:
        fields: dict[str, Any] = {"speed": speed, "direction": chance.choice("+-")}
        if chance.random() < 0.5:
            fields |= {"magnitude": chance.randint(20, 900), "time": round(chance.uniform(1, 9), 3)}
        yield json.dumps(fields).encode()


def as_omnipresense() -> Iterator[Agreement]:
    """Let both read the same lines: the speed, and whether it comes nearer."""
    library: Any = import_module("omnipresense")
    radar = library.create_radar("OPS243-A", "/dev/null")
    for line in lines():
        ours, theirs = report(line, 1.0), radar._parse_radar_data(line.decode())
        assert ours
        nearer = theirs.direction is library.Direction.APPROACHING
        yield Agreement(
            line,
            (ours.speed, ours.direction == "toward"),
            (theirs.speed, nearer),
            (0.0, 0.0),
        )


def decoded(pieces: list[bytes]) -> list[Any]:
    """Cut the pieces into lines; what stands before the first end of a line is a rest."""
    cutter = Lines()
    cutter.cut(b"\n")
    said = [report(line, 3.6) for piece in pieces for line in cutter.cut(piece)]
    return [one for one in said if one]


PROOFS = (
    Proof(
        driver="ops243",
        part=part,
        options={},
        against=(Oracle("omnipresense", "omnipresense", as_omnipresense),),
        known="a line of OC recorded from a radar, and the examples of OmniPreSense's manuals",
        mutants=(Mutants(ops243, tuple(MUTANTS), known_answers_hold),),
        damage=Damage(
            lambda: b'{"unit":"mps","speed":-5.34}\r\n',
            decoded,
            pieces=True,
            blind="lines of text have no checksum: a flipped bit may be another speed",
        ),
        found="OPS243",
        every_ms=20_000,
        waits=("clock",),
    ),
)
