"""pymodbus, which shares no code with us, as the meter and as the master."""

from __future__ import annotations

import asyncio
import random
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pymodbus.client import ModbusSerialClient
from pymodbus.pdu import ExceptionResponse
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers import sdm
from drivers.sdm import SDM230, SDM630, Meter, SDMOptions
from edgenode.bus import SerialBus, modbus
from edgenode.bus.modbus import Slave
from edgenode.errors import WrongDevice
from edgenode.reading import SerialLine
from edgenode.virtual.conduct import boot_ns
from edgenode.virtual.sdm import THREE_PHASE, SdmSpec, VirtualSDM
from edgenode.virtual.truth import Truth
from tests.support import ttys
from tests.support.meters import SINGLE, THREE, image

LINE = SerialLine(9600)
IMAGES = 240
REGISTERS = 80
WAIT_S = 10


class PymodbusMeter:
    """A pymodbus server on a port, in a thread of its own; addresses 1 and 7."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pymodbus")
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(WAIT_S)

    async def _serve(self) -> ModbusSerialServer:
        blocks = [SimData(0, count=REGISTERS, values=0, datatype=DataType.REGISTERS)]
        server = ModbusSerialServer(
            [SimDevice(id=1, simdata=blocks), SimDevice(id=7, simdata=blocks)],
            port=self._path,
            baudrate=LINE.baud,
            ignore_missing_devices=True,
        )
        await server.serve_forever(background=True)
        return server

    def holds(self, memory: bytes, address: int = 1) -> None:
        """Measure what these registers say."""
        registers = list(struct.unpack(f">{len(memory) // 2}H", memory))
        setting = self._server.async_setValues(address, 16, 0, registers)
        asyncio.run_coroutine_threadsafe(setting, self._loop).result(WAIT_S)

    def close(self) -> None:
        shutdown = self._server.shutdown()  # type: ignore[no-untyped-call]
        asyncio.run_coroutine_threadsafe(shutdown, self._loop).result(WAIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def pymodbus_meter() -> Iterator[tuple[PymodbusMeter, SerialBus]]:
    with ttys.cable() as (near, far):
        meter = PymodbusMeter(far)
        try:
            yield meter, SerialBus(near)
        finally:
            meter.close()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the 100 ms that real meters want: they would make half a minute of these."""
    monkeypatch.setattr(sdm, "GAP_S", 0.0)
    monkeypatch.setattr(modbus, "ANSWER_S", WAIT_S)  # a busy machine is no fault of the meter


def generated(values: dict[int, float], chance: random.Random, n: int) -> dict[int, float]:
    """Return other values in the same registers; energies grow, as they do."""
    made = {register: chance.choice((-1, 1)) * 10 ** chance.uniform(-3, 5) for register in values}
    return {**made, 0x48: 1e4 + 3 * n, 0x4A: 7.0 * n}


@pytest.mark.parametrize(("model", "values"), [(SDM230, SINGLE), (SDM630, THREE)])
def test_the_driver_reads_what_pymodbus_holds(model: type[Meter], values: dict[int, float]) -> None:
    chance = random.Random(model.model)
    with pymodbus_meter() as (meter, bus):
        meter.holds(image(values))
        driver = model(bus.lease(LINE), SDMOptions())
        for n in range(IMAGES // 2):
            memory = image(generated(values, chance, n))
            meter.holds(memory)
            wanted = tuple(
                struct.unpack_from(">f", memory, 2 * register)[0]
                for register, _ in model.quantities
            )
            assert driver.read(n).values == wanted
        driver.close()


def test_two_addresses_of_pymodbus_are_two_meters() -> None:
    with pymodbus_meter() as (meter, bus):
        for address in (1, 7):
            meter.holds(image({**SINGLE, 0x00: 230.0 + address}), address)
        drivers = [SDM230(bus.lease(LINE), SDMOptions(address=address)) for address in (1, 7)]
        assert [driver.read(0).values[0] for driver in drivers] == [231.0, 237.0]
        for driver in drivers:
            driver.close()


def test_an_exception_of_pymodbus_is_told_in_words() -> None:
    with pymodbus_meter() as (_, bus):
        lease = bus.lease(LINE)
        with pytest.raises(WrongDevice, match="has no such registers"):
            Slave(lease, 1).read_input_registers(0x1000, 2)
        lease.close()


@pytest.mark.parametrize("address", [1, 247])
def test_pymodbus_reads_what_the_virtual_meter_plays(tmp_path: Path, address: int) -> None:
    truth = Truth(tmp_path / "truth.jsonl")
    spec = SdmSpec("meter", address=address, model="sdm630", every_ms=86_400_000)
    meter = VirtualSDM(spec, truth, boot_ns())
    expected = VirtualSDM(spec, truth, boot_ns())._values(boot_ns())
    with ttys.far_end(lambda data: meter.hear(data, boot_ns())) as path:
        client = ModbusSerialClient(path, baudrate=LINE.baud, timeout=WAIT_S)
        assert client.connect()
        answer = client.read_input_registers(0, count=76, device_id=address)
        floats = client.convert_from_registers(answer.registers, client.DATATYPE.FLOAT32)
        refused = client.read_holding_registers(0, count=2, device_id=address)
        client.close()  # type: ignore[no-untyped-call]
    truth.close()
    assert isinstance(floats, list)
    for name, register in THREE_PHASE.items():
        assert floats[register // 2] == pytest.approx(expected[name], rel=1e-6), name
    assert isinstance(refused, ExceptionResponse)
    assert refused.exception_code == 1
