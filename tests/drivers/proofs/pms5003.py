"""What proves the drivers of Plantower's particle sensors."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from typing import Any

from drivers import pms5003
from drivers.pms5003 import PMS3003, PMS5003, PMS5003T, Plantower, PMS5003Options
from edgenode.bus import newest
from edgenode.reading import SerialLine
from edgenode.virtual.pms5003 import Pms5003Spec, VirtualPMS5003
from tests.drivers.known_pms5003 import (
    MUTANTS,
    OF_THE_PMS3003,
    OF_THE_STREAM,
    OF_THE_T,
    known_answers_hold,
    known_answers_of_the_pms3003_hold,
    known_answers_of_the_stream_hold,
    known_answers_of_the_t_hold,
)
from tests.support.beds import Bed, Cable, Wire
from tests.support.chips import adafruit
from tests.support.fake_serial import FakeSerial
from tests.support.pms5003 import RECORDED, frame, recorded
from tests.support.proofs import (
    FRAMES,
    Agreement,
    Captures,
    Damage,
    KernelOracle,
    Mutants,
    Nobody,
    Oracle,
    Proof,
)
from tests.support.pypms import observed

EDGES = (0, 1, 999, 1000, 0x7FFF, 0x8000, 0xFFFF)


def part(model: Any, bed: Bed) -> Wire:
    """Play dust."""
    instrument = VirtualPMS5003(Pms5003Spec("s", model=model), bed.truth, bed.now_ns)
    return Cable(bed, instrument, SerialLine(9600))


def words(n: int, chance: random.Random) -> list[int]:
    """Return twelve words, edges among them; some particles, without which PyPMS sees no dust."""
    made = [
        chance.choice((*EDGES, *(chance.randrange(0x1_0000) for _ in EDGES))) for _ in range(12)
    ]
    made[0], made[6], made[10] = n, max(1, made[6]), max(1, made[10])
    return made


def read(driver: type[Plantower], said: bytes) -> tuple[float | None, ...]:
    """Return what a driver makes of the frame that it hears first."""
    port = FakeSerial(said)
    return driver(port, PMS5003Options(), clock=port.clock).read(0).values


def as_pypms(driver: type[Plantower], sensor: str) -> Iterator[Agreement]:
    """Let both decode the same frames."""
    chance = random.Random(sensor)
    for n in range(FRAMES):
        said = frame(*words(n, chance), length=driver.length)
        ours, seen = read(driver, said), observed(sensor, said)
        theirs = [seen.pm01, seen.pm25, seen.pm10]
        if driver is not PMS3003:
            theirs += [100 * seen.n0_3, 100 * seen.n2_5]  # PyPMS counts in a cm³
        theirs.append(seen.raw25)
        if driver is PMS5003T:
            theirs += [seen.temp, seen.rhum]
        yield Agreement(said, ours, tuple(theirs), (0.0,) * len(ours))


class Uart:
    """A port as Adafruit's driver wants it."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    def read(self, size: int) -> bytes:
        data, self._said = self._said[:size], self._said[size:]
        return data


def as_adafruit() -> Iterator[Agreement]:
    """Let both decode the same frames."""
    library = adafruit("adafruit_pm25.uart")
    chance = random.Random("adafruit")
    for n in range(FRAMES):
        said = frame(*words(n, chance))
        seen = library.PM25_UART(Uart(said)).read()
        theirs = [seen[f"pm{size} env"] for size in (10, 25, 100)]
        theirs += [seen["particles 03um"], seen["particles 25um"], seen["pm25 standard"]]
        yield Agreement(said, read(PMS5003, said), tuple(theirs), (0.0,) * 6)


def as_recorded() -> Iterator[Agreement]:
    """Read a part that was recorded."""
    for said, theirs in zip(recorded(), RECORDED, strict=True):
        yield Agreement(said, read(PMS5003, said), tuple(map(float, theirs)), (0.0,) * 6)


def decoded(driver: type[Plantower], pieces: list[bytes]) -> list[Any]:
    """Return what a stream is read as that begins with another frame."""
    port = FakeSerial(frame(0, length=driver.length))
    sensor = driver(port, PMS5003Options(), clock=port.clock)
    before = sensor.read(0).values
    for piece in pieces:
        port.say(piece)
        sensor.feed(10)
    after = sensor.read(10).values
    return [after] if after != before else []


def said(driver: type[Plantower]) -> bytes:
    """Return a frame with another number in each word."""
    return frame(*range(1001, 1013), length=driver.length)


def proof(
    driver: type[Plantower],
    against: tuple[Oracle | KernelOracle | Captures | Nobody, ...],
    known: str,
    mutants: tuple[Mutants, ...],
    found: str,
) -> Proof:
    """Return the proof of one of the three."""
    name = driver.model.lower()
    return Proof(
        driver=name,
        part=partial(part, name),
        options={},
        against=against,
        known=known,
        mutants=mutants,
        damage=Damage(partial(said, driver), partial(decoded, driver), pieces=True),
        found=found,
        waits=("clock",),
    )


def pypms(driver: type[Plantower], sensor: str) -> Oracle:
    """Return PyPMS as the oracle of a driver."""
    return Oracle("PyPMS", "pms.core", partial(as_pypms, driver, sensor))


SOURCE = "github.com/avaldebe/PyPMS, tests/captured_data (MIT): tests/data/README.md"
PROOFS = (
    proof(
        PMS5003,
        (
            pypms(PMS5003, "PMSx003"),
            Oracle("adafruit-circuitpython-pm25", "adafruit_pm25.uart", as_adafruit),
            Captures(SOURCE, as_recorded),
        ),
        "eight recorded frames, and a frame with another number in each word",
        (
            Mutants(pms5003, MUTANTS, known_answers_hold),
            Mutants(newest, OF_THE_STREAM, known_answers_of_the_stream_hold),
        ),
        "PMS5003, PMS7003 or PMSA003, version 0x97",
    ),
    proof(
        PMS5003T,
        (pypms(PMS5003T, "PMS5003T"),),
        "21.5 °C and 48.3 % as 00d7 01e3 at 24, -1.0 °C as fff6, as PyPMS and ESPHome have them",
        (Mutants(pms5003, OF_THE_T, known_answers_of_the_t_hold),),
        "PMS5003T, version 0x97",
    ),
    proof(
        PMS3003,
        (pypms(PMS3003, "PMS3003"),),
        "a frame of 24 bytes with another number in each word, as PyPMS has it",
        (Mutants(pms5003, OF_THE_PMS3003, known_answers_of_the_pms3003_hold),),
        "PMS3003",
    ),
)
