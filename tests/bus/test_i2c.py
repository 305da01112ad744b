"""I2C: one transaction a call, made of smbus2's own messages, and errors that say what to do."""

from __future__ import annotations

import ctypes
import errno
from pathlib import Path

import pytest
from smbus2 import i2c_msg

from edgenode.bus import open_i2c
from edgenode.bus.i2c import SMBusDevice
from edgenode.errors import BusError, BusStuck, BusTimeout

READ = 0x0001  # I2C_M_RD of linux/i2c.h


class FakeSMBus:
    """Stands where smbus2.SMBus stands: keeps transactions, answers with `answer` or `number`."""

    def __init__(self, answer: bytes = b"", number: int = 0) -> None:
        self.answer, self.number = answer, number
        self.transactions: list[list[tuple[int, int, bytes]]] = []
        self.closed = 0

    def i2c_rdwr(self, *i2c_msgs: i2c_msg) -> None:
        if self.number:
            raise OSError(self.number, "as the kernel would say")
        self.transactions.append([(m.addr, m.flags, bytes(m)) for m in i2c_msgs])
        for message in i2c_msgs:
            if message.flags & READ:
                ctypes.memmove(message.buf, self.answer.ljust(message.len), message.len)

    def close(self) -> None:
        self.closed += 1


def device(bus: FakeSMBus) -> SMBusDevice:
    return SMBusDevice(bus, "/dev/i2c-1", 0x76)


def test_a_read_is_a_write_and_a_read_in_one_transaction() -> None:
    bus = FakeSMBus(b"\x60\x01")
    assert device(bus).read(0xD0, 2) == b"\x60\x01"
    assert bus.transactions == [[(0x76, 0, b"\xd0"), (0x76, READ, b"\0\0")]]


def test_a_write_is_the_register_and_its_data() -> None:
    bus = FakeSMBus()
    device(bus).write(0xF2, b"\x01\x02")
    assert bus.transactions == [[(0x76, 0, b"\xf2\x01\x02")]]


def test_a_read_longer_than_an_smbus_block_is_whole() -> None:
    bus = FakeSMBus(bytes(range(60)))
    assert device(bus).transfer(b"\x03\x00", 60) == bytes(range(60))


@pytest.mark.parametrize(("data", "length"), [(b"", 0), (b"\0", 8193), (bytes(8193), 0), (b"", -1)])
def test_a_transfer_the_kernel_would_refuse_never_reaches_it(data: bytes, length: int) -> None:
    bus = FakeSMBus()
    with pytest.raises(ValueError, match="8192"):
        device(bus).transfer(data, length)
    assert bus.transactions == []


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENXIO, BusError, "no acknowledge"),
        (errno.EREMOTEIO, BusError, "no acknowledge"),
        (errno.EIO, BusError, "no acknowledge"),
        (errno.ETIMEDOUT, BusTimeout, "no answer in time"),
        (errno.EBUSY, BusStuck, "the bus is held"),
        (errno.EAGAIN, BusError, "lost arbitration"),
        (errno.EACCES, BusError, "permission denied"),
        (errno.EOPNOTSUPP, BusError, "as the kernel would say"),
    ],
)
def test_every_error_names_the_bus_the_address_and_what_it_means(
    number: int, kind: type[BusError], words: str
) -> None:
    with pytest.raises(BusError, match=f"/dev/i2c-1 address 0x76: {words}") as caught:
        device(FakeSMBus(number=number)).read(0xD0, 1)
    assert type(caught.value) is kind
    assert isinstance(caught.value.__cause__, OSError)


def test_a_bus_that_does_not_exist_says_what_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(BusError, match="no such bus; is it enabled"):
        open_i2c(str(tmp_path / "i2c-9"), 0x76)


def test_a_simulated_bus_that_does_not_exist_says_the_same(tmp_path: Path) -> None:
    with pytest.raises(BusError, match="no such bus"):
        open_i2c(f"sim:{tmp_path}/nowhere#a", 0x76)


def test_closing_gives_the_descriptor_back() -> None:
    bus = FakeSMBus()
    device(bus).close()
    assert bus.closed == 1


def test_another_address_of_the_same_bus_is_opened_for_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    buses: list[FakeSMBus] = []

    def opened(path: str, address: int) -> FakeSMBus:
        assert (path, address) == ("/dev/i2c-1", 0x49)
        buses.append(FakeSMBus(b"ab"))
        return buses[-1]

    monkeypatch.setattr("edgenode.bus.i2c.open_kernel", opened)
    first = FakeSMBus()
    other = device(first).at(0x49)
    assert other.read(0x00, 2) == b"ab"
    assert [message[0] for message in buses[0].transactions[0]] == [0x49, 0x49]
    other.close()
    assert (first.closed, buses[0].closed) == (0, 1)
