"""What proves the drivers of SGP40 and SGP41."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from drivers import sgp4x
from drivers.sgp4x import SGP40, SGP41, SGP4xOptions
from edgenode.virtual.sgp4x import Sgp4xSpec, VirtualSGP4x
from tests.drivers.known_sgp4x import (
    BEEF,
    CONDITION,
    MEASURE_40,
    MUTANTS,
    ONE,
    TWO,
    Seat,
    known_answers_hold,
)
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, Sleeper, adafruit
from tests.support.fake_sensirion import FakeSensirion
from tests.support.plays import Anything
from tests.support.proofs import Agreement, Damage, Mutants, Oracle, Proof

ROW_S = 10  # of what is played: both drivers measure within it
TURNS = 600
HUMID, WARM = 63.7, 8.4  # what the ticks are compensated with, by both
A_STEP = 1.0  # of the index; the ticks are equal


def _part(bed: Bed, model: Any) -> Wire:
    return Address(bed, VirtualSGP4x(Sgp4xSpec("s", model=model), bed.truth, bed.now_ns))


def part_of_sgp40(bed: Bed) -> Wire:
    """Play the gas."""
    return _part(bed, "sgp40")


def part_of_sgp41(bed: Bed) -> Wire:
    """Play the gas."""
    return _part(bed, "sgp41")


def _bus(model: Any) -> ChipBus:
    plays: Any = {"sraw_voc": Anything(20_500, 52_000), "sraw_nox": Anything(10_500, 42_000)}
    spec = Sgp4xSpec("s", model=model, every_ms=ROW_S * 1000, **plays)
    return ChipBus({0x59: VirtualSGP4x(spec, Bed().truth, 0)})


def _next_row(bus: ChipBus) -> None:
    """Wait for a little after the next row begins."""
    bus.sleep(ROW_S + 1 - bus.now_ns / 1e9 % ROW_S)


def _opened(driver: Any, bus: ChipBus) -> Any:
    options = SGP4xOptions(humidity_percent=HUMID, temperature_c=WARM)
    clock = lambda: bus.now_ns / 1e9  # noqa: E731 - the time of the bus
    return driver(bus.device(0x59), options, sleep=bus.sleep, clock=clock)


def sgp40_as_adafruit() -> Iterator[Agreement]:
    """Let both measure the same virtual chip; Adafruit's computes the index by itself."""
    library = adafruit("adafruit_sgp40")
    bus = _bus("sgp40")
    with patch.object(library, "sleep", bus.sleep):
        theirs = library.SGP40(bus)
        _next_row(bus)
        ours = _opened(SGP40, bus)
        index = theirs.measure_index(WARM, HUMID)
        for _ in range(TURNS):
            _next_row(bus)
            ours.feed(0)
            values = ours.read(0).values
            index = theirs.measure_index(WARM, HUMID)
            frame = bus.said
            raw = theirs.measure_raw(WARM, HUMID)
            yield Agreement(frame, values, (raw, index or None), (0, A_STEP))


def sgp41_as_adafruit() -> Iterator[Agreement]:
    """Let both measure the same virtual chip; Adafruit's port computes the index from theirs."""
    library = adafruit("adafruit_sgp41.sgp41")
    port = adafruit("adafruit_sgp41.gas_index_algorithm")
    bus = _bus("sgp41")
    with patch.object(library, "time", Sleeper(bus.sleep)):
        theirs = library.SGP41(bus)
        theirs.relative_humidity, theirs.temperature = HUMID, WARM
        _next_row(bus)
        ours = _opened(SGP41, bus)
        voc, nox = port.GasIndexAlgorithm(0), port.GasIndexAlgorithm(1)
        voc.process(theirs.conditioning())  # as ours did when it was opened
        for _ in range(TURNS):
            _next_row(bus)
            ours.feed(0)
            values = ours.read(0).values
            raw = theirs.measure_raw()
            indices = (voc.process(raw[0]) or None, nox.process(raw[1]) or None)
            yield Agreement(bus.said, values, (*raw, *indices), (0, 0, A_STEP, A_STEP))


def damage(answers: dict[bytes, bytes], command: bytes, name: str) -> Damage:
    """Measure a chip that answers so."""

    def decoded(pieces: list[bytes]) -> list[Any]:
        chip = FakeSensirion({**answers, command: b"".join(pieces)})
        return [Seat(sgp4x, chip, name).sensor.read(0)]

    return Damage(lambda: BEEF, decoded)


KNOWN = "260F 8000A2 666693 of the datasheet and of Adafruit's driver; BE EF 92 of both datasheets"
BOTH = (Mutants(sgp4x, MUTANTS, known_answers_hold),)

PROOFS = (
    Proof(
        driver="sgp40",
        part=part_of_sgp40,
        options={},
        against=(Oracle("adafruit-circuitpython-sgp40", "adafruit_sgp40", sgp40_as_adafruit),),
        known=KNOWN,
        mutants=BOTH,
        damage=damage(ONE, MEASURE_40, "SGP40"),
        found="^SGP40, serial number 00000a1b2c3d$",
        every_ms=60_000,
        waits=("sleep", "clock"),
    ),
    Proof(
        driver="sgp41",
        part=part_of_sgp41,
        options={},
        against=(
            Oracle("adafruit-circuitpython-sgp41", "adafruit_sgp41.sgp41", sgp41_as_adafruit),
        ),
        known=KNOWN,
        mutants=BOTH,
        damage=damage(TWO, CONDITION, "SGP41"),
        found="^SGP41, serial number 00000a1b2c3d$",
        every_ms=60_000,
        waits=("sleep", "clock"),
    ),
)
