"""What proves the drivers of the TF-Luna and the TFmini."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from typing import Any

from drivers import tfluna
from drivers.tfluna import SHAPE, TFLuna, decode
from edgenode.bus.frames import Frames
from edgenode.reading import SerialLine
from edgenode.virtual.series import Play
from edgenode.virtual.tfluna import TfLunaSpec, VirtualTFLuna
from tests.drivers.known_tfluna import FRAMES as KNOWN
from tests.drivers.known_tfluna import MUTANTS, frame, known_answers_hold
from tests.support.beds import Bed, Cable, Wire
from tests.support.chips import adafruit
from tests.support.proofs import FRAMES, Agreement, Damage, Mutants, Oracle, Proof


class Uart(io.BytesIO):
    """A UART as CircuitPython has it, on which these bytes are heard."""

    baudrate = 0

    def reset_input_buffer(self) -> None:
        """Forget nothing: it has all just come."""


def part(bed: Bed) -> Wire:
    """Play a lane with a vehicle each two seconds and a half, some measurements at once."""
    spec = TfLunaSpec("s", burst=5, every_ms=10_000, vehicles=Play(offset=4))
    return Cable(bed, VirtualTFLuna(spec, bed.truth, bed.now_ns), TFLuna.line or SerialLine())


def frames() -> Iterator[bytes]:
    """Yield frames over the whole range, and those that are marked as invalid."""
    chance = random.Random(59)
    yield from (bytes.fromhex(text) for text in KNOWN)
    for _ in range(FRAMES):
        yield frame(chance.randint(0, 0xFFFF), chance.randint(0, 0xFFFF), chance.uniform(-40, 85))


def as_adafruit() -> Iterator[Agreement]:
    """Let both read the same frames, behind noise: distance in cm, and strength."""
    library = adafruit("adafruit_tfmini")
    for one in frames():
        ours = [decode(f) for f in Frames(SHAPE).cut(b"\x01\x02" + one)]
        theirs = library.TFmini(Uart(b"\x01\x02" + one))
        distance = theirs.distance
        yield Agreement(
            one,
            (ours[0].distance, ours[0].strength),
            (distance, theirs._strength),
            (0, 0),
        )


def decoded(pieces: list[bytes]) -> list[Any]:
    """Cut the pieces into frames."""
    cutter = Frames(SHAPE)
    return [decode(one) for piece in pieces for one in cutter.cut(piece)]


PROOFS = tuple(
    Proof(
        driver=driver,
        part=part,
        options={"nearer_cm": 500},
        against=(Oracle("adafruit-circuitpython-tfmini", "adafruit_tfmini", as_adafruit),),
        known="59 59 64 00 E8 03 80 09 8A is 100 cm, 1000 and 48.0 °C, by the manual",
        mutants=(Mutants(tfluna, tuple(MUTANTS), known_answers_hold),),
        damage=Damage(lambda: frame(100), decoded, pieces=True),
        found="TF-Luna or TFmini",
        every_ms=10_000,
        waits=("clock",),
    )
    for driver in ("tfluna", "tfmini")
)
