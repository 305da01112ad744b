"""What proves the drivers of SDM meters."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pymodbus.client.mixin import ModbusClientMixin

from drivers import sdm
from drivers.sdm import SDM120, SDM230, SDM630, Meter, SDMOptions
from edgenode.reading import SerialLine
from edgenode.virtual.sdm import SdmSpec, VirtualSDM
from tests.drivers.known_sdm import MUTANTS, known_answers_hold
from tests.support.beds import Bed, Cable, Wire
from tests.support.fake_cable import FakeCable
from tests.support.meters import SINGLE, THREE, image, metered
from tests.support.peer_modbus import PymodbusSlave
from tests.support.proofs import FRAMES, Agreement, Damage, Mutants, Oracle, Proof


def part(model: Any, bed: Bed) -> Wire:
    """Play a load."""
    meter = VirtualSDM(SdmSpec("s", model=model), bed.truth, bed.now_ns)
    return Cable(bed, meter, SerialLine(9600))


def as_pymodbus(model: type[Meter], values: dict[int, float]) -> Iterator[Agreement]:
    """Let pymodbus answer, and let it take the floats of its registers apart."""
    chance = random.Random(model.model)
    slave = PymodbusSlave(registers(values))
    driver = model(FakeCable(slave), SDMOptions())
    for n in range(FRAMES):
        slave.registers = registers(generated(values, chance, n))
        ours = driver.read(n).values
        theirs = ModbusClientMixin.convert_from_registers(
            slave.registers, ModbusClientMixin.DATATYPE.FLOAT32
        )
        assert isinstance(theirs, list)
        wanted = tuple(float(theirs[register // 2]) for register, _ in model.quantities)
        yield Agreement(slave.said, ours, wanted, (0.0,) * len(ours))


def registers(values: dict[int, float]) -> list[int]:
    """Return registers from 0 on."""
    memory = image(values)
    return list(struct.unpack(f">{len(memory) // 2}H", memory))


def generated(values: dict[int, float], chance: random.Random, n: int) -> dict[int, float]:
    """Return other values in the same registers; energies grow, as they do."""
    made = {register: chance.choice((-1, 1)) * 10 ** chance.uniform(-3, 5) for register in values}
    return {**made, 0x48: 1e4 + 3 * n, 0x4A: 7.0 * n}


def answer(values: dict[int, float]) -> bytes:
    """Return the frame that a meter answers with."""
    slave = PymodbusSlave(registers(values))
    sdm_driver = SDM630 if values is THREE else SDM230
    sdm_driver(FakeCable(slave), SDMOptions())
    return slave.said


def decoded(model: type[Meter], values: dict[int, float], pieces: list[bytes]) -> list[Any]:
    """Read a meter that answers so, once it was opened."""
    cable, _ = metered(values)
    driver = model(cable, SDMOptions())
    cable.parts[:] = [lambda _: b"".join(pieces)]
    return [driver.read(0)]


def proof(model: type[Meter], name: str, values: dict[int, float], found: str) -> Proof:
    """Return the proof of one of the three."""
    agreements: Callable[[], Iterator[Agreement]] = partial(as_pymodbus, model, values)
    return Proof(
        driver=name,
        part=partial(part, name),
        options={},
        against=(Oracle("pymodbus", "pymodbus.framer", agreements),),
        known="registers and units of Eastron's protocol documents, alike in mbmd and sdm_modbus",
        mutants=(Mutants(sdm, tuple(MUTANTS), known_answers_hold),),
        damage=Damage(partial(answer, values), partial(decoded, model, values)),
        found=found,
    )


PROOFS = (
    proof(SDM120, "sdm120", SINGLE, "SDM.*one phase"),
    proof(SDM230, "sdm230", SINGLE, "SDM.*one phase"),
    proof(SDM630, "sdm630", THREE, "SDM630"),
)
