"""What proves the driver of the Senseair S8."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from pymodbus.client.mixin import ModbusClientMixin

from drivers import s8
from drivers.s8 import S8, S8Options
from edgenode.reading import SerialLine
from edgenode.virtual.s8 import S8Spec, VirtualS8
from tests.drivers.known_s8 import ANSWER, MUTANTS, known_answers_hold, opened
from tests.support.beds import Bed, Cable, Wire
from tests.support.fake_cable import FakeCable
from tests.support.peer_modbus import PymodbusSlave
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, Damage, Mutants, Oracle, Proof

EDGES = (1, 255, 256, 400, 2000, 10_000, 0x7FFF)
MINUTE_NS = 60_000_000_000


def part(bed: Bed) -> Wire:
    """Play air."""
    return Cable(bed, VirtualS8(S8Spec("s"), bed.truth, bed.now_ns), SerialLine(9600))


def as_pymodbus() -> Iterator[Agreement]:
    """Let pymodbus answer, and let it take the registers apart."""
    chance = random.Random(8)
    slave = PymodbusSlave([0, 0, 0, 400], address=0xFE)
    driver = S8(FakeCable(slave), S8Options())
    for ppm in (*EDGES, *chance.sample(range(1, 0x8000), FRAMES)):
        slave.registers = [chance.choice((0, 0x08, 0x20)), *chance.sample(range(4), 2), ppm]
        ours = driver.read(0).values
        theirs = ModbusClientMixin.convert_from_registers(
            slave.registers, ModbusClientMixin.DATATYPE.UINT16
        )
        assert isinstance(theirs, list)
        yield Agreement(slave.said, ours, (float(theirs[3]),), (0.0,))


class Serial:
    """A port of pyserial's, with a virtual S8 behind it."""

    def __init__(self, instrument: VirtualS8) -> None:
        self.now_ns = 0
        self._instrument, self._said = instrument, b""

    def flushInput(self) -> None:  # noqa: N802 - pyserial's name
        self._said = b""

    def write(self, data: bytes) -> None:
        self._said += self._instrument.hear(data, self.now_ns)

    def read(self, size: int) -> bytes:
        data, self._said = self._said[:size], self._said[size:]
        return data


def as_senseair_s8() -> Iterator[Agreement]:
    """Let both read the same virtual part."""
    bed = Bed()
    play: Any = Anything(1, 0x7FFF)
    spec = S8Spec("s", every_ms=60_000, co2=play)
    instrument = VirtualS8(spec, bed.truth, bed.now_ns)
    library: Any = import_module("senseair_s8.senseair_s8")
    port = Serial(instrument)
    with (
        patch.object(library, "serial", SimpleNamespace(Serial=lambda *_, **__: port)),
        patch.object(library, "time", SimpleNamespace(sleep=lambda _: None)),
    ):
        theirs = library.SenseairS8()
        ours = S8(Cable(bed, instrument, SerialLine(9600)), S8Options())
        for _ in range(FRAMES + 20):  # some values are played twice
            bed.now_ns += MINUTE_NS
            port.now_ns = bed.now_ns
            ppm = theirs.co2()
            yield Agreement(struct.pack(">H", ppm), ours.read(0).values, (ppm,), (0.0,))


def decoded(pieces: list[bytes]) -> list[Any]:
    """Read a part that answers so, once it was opened."""
    sensor, cable = opened(s8)
    cable.parts[:] = [lambda _: b"".join(pieces)]
    return [sensor.read(0).values]


PROOFS = (
    Proof(
        driver="s8",
        part=part,
        options={},
        against=(
            Oracle("pymodbus", "pymodbus.client.mixin", as_pymodbus),
            Oracle("senseair-s8", "senseair_s8.senseair_s8", as_senseair_s8),
        ),
        known='fe0408000000000000019016e6 is 400 ppm: "Modbus on Senseair S8"',
        mutants=(Mutants(s8, MUTANTS, known_answers_hold),),
        damage=Damage(lambda: ANSWER, decoded),
        found="Senseair S8, type 0xe0104, firmware 1.8, serial",
        every_ms=10_000,
    ),
)
