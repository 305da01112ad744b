"""What proves the DS3231 driver."""

from __future__ import annotations

import random
from calendar import timegm
from collections.abc import Iterator
from typing import Any

from drivers import ds3231
from drivers.ds3231 import DS3231, DS3231Options
from edgenode.virtual.ds3231 import Ds3231Spec, VirtualDS3231
from edgenode.virtual.series import Play
from tests.drivers.known_ds3231 import KNOWN, MUTANTS, FakeDS3231, known_answers_hold
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, adafruit
from tests.support.proofs import FRAMES, Agreement, Damage, Mutants, Oracle, Proof

LAST = 4_102_444_799  # of 2099, in POSIX seconds
FIRST = 946_684_800  # of 2000


def part(bed: Bed) -> Wire:
    """Play a clock that is right."""
    return Address(bed, VirtualDS3231(Ds3231Spec("s"), bed.truth, bed.now_ns))


def as_adafruit() -> Iterator[Agreement]:
    """Let both read the same clocks, anywhere in the century; where it is lost, none is told."""
    chance = random.Random("ds3231")
    library = adafruit("adafruit_ds3231")
    for _ in range(FRAMES):
        shows, lost = chance.randint(FIRST, LAST), chance.random() < 0.2
        warm = Play(offset=chance.randint(-160, 340) / 4)
        spec = Ds3231Spec("rtc", shows=shows, lost=lost, temperature=warm)
        bus = ChipBus({0x68: VirtualDS3231(spec, Bed().truth, 0)})
        theirs = library.DS3231(bus)
        ours = DS3231(bus.device(0x68), DS3231Options(), wall=lambda: 0.5)
        values = ours.read(0).values
        frame = bus.said
        utc = None if theirs.lost_power else float(timegm(theirs.datetime))
        given = (theirs.temperature, float(theirs.lost_power), utc)
        yield Agreement(frame, values, given, (0.0, 0.0, 0.0))


def decoded(pieces: list[bytes]) -> list[Any]:
    """Read a clock that answers so, over and over."""
    answer = b"".join(pieces)
    chip = FakeDS3231(KNOWN, *[answer] * (2 * ds3231.TRIES))
    return [DS3231(chip, DS3231Options(), wall=lambda: 0.0).read(0)]


PROOFS = (
    Proof(
        driver="ds3231",
        part=part,
        options={},
        against=(Oracle("adafruit-circuitpython-ds3231", "adafruit_ds3231", as_adafruit),),
        known="30 59 12 03 23 11 26 and 19 40 are 2026-11-23 12:59:30 and 25.25 °C: Adafruit",
        mutants=(Mutants(ds3231, tuple(MUTANTS), known_answers_hold),),
        damage=Damage(lambda: 2 * bytes.fromhex(KNOWN), decoded),
        found="^DS3231, a clock$",
    ),
)
