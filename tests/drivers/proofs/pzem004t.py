"""What proves the PZEM-004T driver."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from pymodbus.client.mixin import ModbusClientMixin

from drivers import pzem004t
from drivers.pzem004t import PZEM004T, PZEM004TOptions
from edgenode.reading import SerialLine
from edgenode.virtual.pzem004t import Pzem004tSpec, VirtualPZEM004T
from tests.drivers.known_pzem004t import MANUAL, MUTANTS, holds
from tests.support.beds import Bed, Cable, Wire
from tests.support.fake_cable import FakeCable
from tests.support.peer_modbus import PymodbusSlave
from tests.support.proofs import FRAMES, Agreement, Damage, Mutants, Oracle, Proof

WIDE = ModbusClientMixin.DATATYPE.UINT32
STEPS = (0.05, 0.0005, 0.05, 0.0005, 0.05, 0.005)


def part(bed: Bed) -> Wire:
    """Play a load."""
    spec = Pzem004tSpec("s")
    return Cable(bed, VirtualPZEM004T(spec, bed.truth, bed.now_ns), SerialLine(9600))


def as_pymodbus() -> Iterator[Agreement]:
    """Let pymodbus answer, and let it put the words of its registers together."""
    chance = random.Random(4)
    slave = PymodbusSlave([0] * 10)
    for _ in range(FRAMES):
        wide = [chance.randrange(1 << chance.randint(8, 24)) for _ in range(3)]
        words = [word for value in wide for word in (value & 0xFFFF, value >> 16)]
        slave.registers = [
            chance.randint(800, 2600),
            *words,
            chance.randint(450, 650),
            chance.randint(0, 100),
            chance.choice((0, 0xFFFF)),
        ]
        ours = PZEM004T(FakeCable(slave), PZEM004TOptions()).read(0).values
        amps, watts, energy = (_wide(slave.registers[at : at + 2]) for at in (1, 3, 5))
        volts, hertz, factor = (slave.registers[at] for at in (0, 7, 8))
        theirs = (volts / 10, amps / 1000, watts / 10, energy / 1000, hertz / 10, factor / 100)
        yield Agreement(slave.said, ours, theirs, STEPS)


def _wide(registers: list[int]) -> float:
    found = ModbusClientMixin.convert_from_registers(registers, WIDE, word_order="little")
    assert isinstance(found, int)
    return found


def decoded(pieces: list[bytes]) -> list[Any]:
    """Read a part that answers so, once it was opened."""
    cable = FakeCable(lambda _: MANUAL)
    sensor = PZEM004T(cable, PZEM004TOptions())
    cable.parts[:] = [lambda _: b"".join(pieces)]
    return [sensor.read(0)]


PROOFS = (
    Proof(
        driver="pzem004t",
        part=part,
        options={},
        against=(Oracle("pymodbus", "pymodbus.framer", as_pymodbus),),
        known="220.0 V, 1.000 A, 220.0 W of the manual's example; factors alike in ESPHome",
        mutants=(Mutants(pzem004t, MUTANTS, holds),),
        damage=Damage(lambda: MANUAL, decoded),
        found="PZEM-004T v3",
    ),
)
