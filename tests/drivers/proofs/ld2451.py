"""What proves the LD2451 driver."""

from __future__ import annotations

from typing import Any

from drivers import ld2451
from drivers.ld2451 import LD2451, SHAPE, targets
from edgenode.bus.frames import Frames
from edgenode.reading import SerialLine
from edgenode.virtual.ld2451 import Ld2451Spec, VirtualLD2451
from edgenode.virtual.series import Play
from tests.drivers.known_ld2451 import MUTANTS, PUBLISHED, known_answers_hold
from tests.support.beds import Bed, Cable, Wire
from tests.support.proofs import Damage, Mutants, Nobody, Proof

STEADY: Any = {"every_ms": 20_000, "toward": Play(offset=5), "away": Play(offset=4)}


def part(bed: Bed) -> Wire:
    """Play a street with 1,600 vehicles an hour."""
    instrument = VirtualLD2451(Ld2451Spec("s", **STEADY), bed.truth, bed.now_ns)
    return Cable(bed, instrument, LD2451.line or SerialLine())


def decoded(pieces: list[bytes]) -> list[Any]:
    """Cut the pieces into reports."""
    cutter = Frames(SHAPE)
    return [targets(frame) for piece in pieces for frame in cutter.cut(piece)]


PROOFS = (
    Proof(
        driver="ld2451",
        part=part,
        options={},
        against=(
            Nobody(
                "PyPI, Debian and Linux for ld2451: none; ESPHome's package on PyPI has LD2410, "
                "LD2412, LD2420 and LD2450. No capture of a real part was found either"
            ),
        ),
        known="F4F3F2F1 0700 0101 8032012814 F8F7F6F5 is 50 m, nearer, 40 km/h: two public parsers",
        mutants=(Mutants(ld2451, tuple(MUTANTS), known_answers_hold),),
        damage=Damage(
            lambda: PUBLISHED,
            decoded,
            pieces=True,
            blind="reports have no checksum: a flipped bit may be another distance or speed",
        ),
        found="LD2451",
        every_ms=20_000,
        waits=("clock",),
    ),
)
