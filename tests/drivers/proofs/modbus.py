"""What proves the generic Modbus driver."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from typing import Any

import msgspec
from pymodbus.client.mixin import ModbusClientMixin

from drivers import modbus
from drivers.modbus import Modbus, ModbusOptions
from edgenode.reading import SerialLine
from edgenode.virtual.modbus import Cell, ModbusSpec, VirtualModbus
from edgenode.virtual.series import Play
from tests.drivers.known_modbus import MUTANTS, holds
from tests.support.beds import Bed, Cable, Wire
from tests.support.fake_cable import FakeCable
from tests.support.peer_modbus import PymodbusSlave
from tests.support.proofs import FRAMES, Agreement, Damage, Mutants, Oracle, Proof

TYPES = {
    "u16": ModbusClientMixin.DATATYPE.UINT16,
    "s16": ModbusClientMixin.DATATYPE.INT16,
    "u32": ModbusClientMixin.DATATYPE.UINT32,
    "s32": ModbusClientMixin.DATATYPE.INT32,
    "u64": ModbusClientMixin.DATATYPE.UINT64,
    "s64": ModbusClientMixin.DATATYPE.INT64,
    "f32": ModbusClientMixin.DATATYPE.FLOAT32,
    "f64": ModbusClientMixin.DATATYPE.FLOAT64,
}
WIND = [
    {"name": "wind", "register": 0, "unit": "m/s", "factor": 0.1, "decimals": 1, "low": 0,
     "high": 60},
    {"name": "rain", "register": 2, "unit": "mm", "type": "u32", "total": True},
]  # fmt: skip
VOLTS = bytes.fromhex("01 04 04 43 66 33 33 5A FA")


def part(bed: Bed) -> Wire:
    """Be a weather station."""
    cells = (
        Cell("wind", 0, Play(offset=34)),
        Cell("rain", 2, Play(offset=1234), type="u32"),
    )
    spec = ModbusSpec("s", cells)
    return Cable(bed, VirtualModbus(spec, bed.truth, bed.now_ns), SerialLine(9600))


def as_pymodbus() -> Iterator[Agreement]:
    """Let pymodbus answer, and take the registers apart in every type and order of words."""
    chance = random.Random(247)
    slave = PymodbusSlave([])
    for _ in range(FRAMES):
        name = chance.choice(list(TYPES))
        kind, turned = TYPES[name], chance.random() < 0.5
        words = list(struct.unpack(f">{kind.value[1]}H", chance.randbytes(2 * kind.value[1])))
        slave.registers = words
        row = {"name": "value", "register": 0, "unit": "/", "type": name}
        options = {"registers": [{**row, "low_word_first": turned}]}
        sensor = Modbus(FakeCable(slave), msgspec.convert(options, ModbusOptions))
        order: Any = "little" if turned else "big"
        theirs = ModbusClientMixin.convert_from_registers(words, kind, word_order=order)
        assert isinstance(theirs, int | float)
        if theirs not in {float("inf"), float("-inf")} and theirs == theirs:  # noqa: PLR0124 - NaN
            yield Agreement(slave.said, sensor.read(0).values, (theirs,), (0.0,))


def decoded(pieces: list[bytes]) -> list[Any]:
    """Read a part that answers so, once it was opened."""
    row = {"name": "voltage", "register": 0, "unit": "V", "type": "f32"}
    cable = FakeCable(lambda _: VOLTS)
    sensor = Modbus(cable, msgspec.convert({"registers": [row]}, ModbusOptions))
    cable.parts[:] = [lambda _: b"".join(pieces)]
    return [sensor.read(0)]


PROOFS = (
    Proof(
        driver="modbus",
        part=part,
        options={"registers": WIND},
        against=(Oracle("pymodbus", "pymodbus.framer", as_pymodbus),),
        known="43 66 33 33 is 230.2 V: pymodbus, minimalmodbus",
        mutants=(Mutants(modbus, MUTANTS, holds),),
        damage=Damage(lambda: VOLTS, decoded),
        found="",
    ),
)
