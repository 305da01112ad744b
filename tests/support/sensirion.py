"""The bus of virtual chips as Sensirion's own Python packages want to have one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from edgenode.errors import BusError
from tests.support.chips import ChipBus
from tests.support.fake_sensirion import FakeSensirion
from tests.support.proofs import Damage

OK, NACK = 0, 2  # statuses of a transceiver


class Transceiver:
    """A transceiver of sensirion-i2c-driver, API version 1, in the time of the bus."""

    API_VERSION = 1
    channel_count = None

    def __init__(self, bus: ChipBus) -> None:
        self._bus = bus

    def transceive(
        self,
        slave_address: int,
        tx_data: bytes | None,
        rx_length: int | None,
        read_delay: float,
        timeout: float,
    ) -> tuple[int, Exception | None, bytes]:
        device = self._bus.device(slave_address)
        try:
            if tx_data:
                device.transfer(bytes(tx_data), 0)
            self._bus.sleep(read_delay)
            return OK, None, device.transfer(b"", rx_length) if rx_length else b""
        except BusError as exc:
            return NACK, exc, b""


def channel(bus: ChipBus, address: int) -> Any:
    """Return what a driver of Sensirion's is made with."""
    driver = import_module("sensirion_i2c_driver")
    adapters = import_module("sensirion_driver_adapters.i2c_adapter.i2c_channel")
    crc = driver.CrcCalculator(8, 0x31, 0xFF, 0x00)
    return adapters.I2cChannel(driver.I2cConnection(Transceiver(bus)), address, crc)


def slots(count: int, period_s: float, *buses: ChipBus) -> Iterator[int]:
    """Yield the boot-time ms of `count` slots, to which the time of all buses was moved."""
    begun_ns = max(bus.now_ns for bus in buses)
    for slot in range(1, count + 1):
        now_ns = begun_ns + int(slot * period_s * 1e9)
        for bus in buses:
            bus.now_ns = now_ns
        yield now_ns // 1_000_000


def damage(driver: Any, answers: Mapping[bytes, bytes], command: bytes) -> Damage:
    """Let a chip that answers so answer a command by other bytes, and read it once."""

    def decoded(pieces: list[bytes]) -> list[Any]:
        chip = FakeSensirion({**answers, command: b"".join(pieces)})
        return [driver(chip, driver.options(), sleep=lambda _: None).read(0)]

    return Damage(lambda: answers[command], decoded)
