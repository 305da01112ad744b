import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.bus.serial import Lease, SerialBus
from edgenode.reading import SerialLine
from tests.support.adapter import Adapter
from tests.support.fake_chip import FakeChip


@pytest.fixture
def chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeChip:
    """A chip that the ioctls of this process reach."""
    fake = FakeChip(tmp_path)
    monkeypatch.setattr(fcntl, "ioctl", fake.ioctl)
    return fake


@pytest.fixture
def adapter(tmp_path: Path) -> Iterator[Adapter]:
    made = Adapter(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bus(adapter: Adapter) -> SerialBus:
    return SerialBus(adapter.path)


@pytest.fixture
def port(bus: SerialBus) -> Iterator[Lease]:
    lease = bus.lease(SerialLine(9600))
    yield lease
    lease.close()
