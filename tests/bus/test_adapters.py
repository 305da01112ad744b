"""An I2C bus that its sensors share: one device, closed for all once it is not there any more."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from edgenode.bus.adapters import I2CBus
from edgenode.errors import BusError
from tests.bus.test_i2c import FakeSMBus


class Kernel:
    """Opens fakes in place of devices, and remembers them."""

    def __init__(self) -> None:
        self.opened: list[FakeSMBus] = []

    def open(self, path: str, address: int) -> FakeSMBus:
        self.opened.append(FakeSMBus(b"\x60"))
        return self.opened[-1]


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def node(tmp_path: Path) -> Path:
    path = tmp_path / "i2c-1"
    path.touch()
    return path


def test_sensors_share_one_device_which_is_closed_with_the_last_of_them(
    kernel: Kernel, node: Path
) -> None:
    bus = I2CBus(str(node), kernel.open)
    first, second = bus.lease(0x76), bus.lease(0x44)
    first.close()
    first.close()
    assert second.read(0xD0, 1) == b"\x60"
    assert [one.closed for one in kernel.opened] == [0]
    second.close()
    assert [one.closed for one in kernel.opened] == [1]


def test_who_fails_on_a_bus_that_is_gone_closes_it_for_all(kernel: Kernel, node: Path) -> None:
    bus = I2CBus(str(node), kernel.open)
    first, second = bus.lease(0x76), bus.lease(0x44)
    node.unlink()
    kernel.opened[0].number = errno.EIO
    with pytest.raises(BusError, match="no such bus"):
        first.read(0xD0, 1)
    assert [one.closed for one in kernel.opened] == [1]
    with pytest.raises(BusError, match="no such bus"):
        second.read(0xD0, 1)
    first.close()
    second.close()
    assert [one.closed for one in kernel.opened] == [1]


def test_a_bus_that_came_back_under_its_name_is_opened_anew(kernel: Kernel, node: Path) -> None:
    link = node.with_name("street")
    link.symlink_to(node)
    bus = I2CBus(str(link), kernel.open)
    lost = bus.lease(0x76)
    other = node.with_name("i2c-2")
    other.touch()
    link.unlink()
    link.symlink_to(other)
    kernel.opened[0].number = errno.EIO
    with pytest.raises(BusError):
        lost.read(0xD0, 1)
    found = bus.lease(0x76)
    assert found.read(0xD0, 1) == b"\x60"
    lost.close()
    assert [one.closed for one in kernel.opened] == [1, 0]


def test_a_part_that_does_not_answer_leaves_the_bus_open(kernel: Kernel, node: Path) -> None:
    bus = I2CBus(str(node), kernel.open)
    silent = bus.lease(0x76)
    kernel.opened[0].number = errno.ENXIO
    with pytest.raises(BusError, match="no acknowledge"):
        silent.read(0xD0, 1)
    assert [one.closed for one in kernel.opened] == [0]


def test_a_share_that_was_given_back_is_not_used(kernel: Kernel, node: Path) -> None:
    bus = I2CBus(str(node), kernel.open)
    closed, held = bus.lease(0x76), bus.lease(0x44)
    closed.close()
    with pytest.raises(BusError):
        closed.read(0xD0, 1)
    assert held.read(0xD0, 1) == b"\x60"
