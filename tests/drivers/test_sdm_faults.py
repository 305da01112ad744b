"""The serial wire's faults, from the driver down to the descriptor, over pseudo-terminals.

The adapter stands behind a by-id link, as in the field; virtual meters hang on its far end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from drivers import sdm
from drivers.sdm import SDM120, SDM230, SDM630, Meter, SDMOptions
from edgenode.bus import modbus
from edgenode.driver import Driver
from edgenode.errors import BadFrame, BusError, BusTimeout, WrongDevice
from edgenode.sensing.opening import Wires
from edgenode.virtual.conduct import boot_ns
from edgenode.virtual.kinds import Action
from edgenode.virtual.sdm import SdmSpec, VirtualSDM
from edgenode.virtual.truth import Truth
from tests.support import ttys

LONG_S, SHORT_S = 5.0, 0.1  # to wait for an answer that comes, and for one that does not


class Field:
    """An adapter with two meters on it; `wires` is the node's view of the port."""

    def __init__(self, directory: Path) -> None:
        self.link = directory / "usb-FTDI_A1-if00-port0"
        self.truth = Truth(directory / "truth.jsonl")
        specs = SdmSpec("one"), SdmSpec("three", address=2, model="sdm630")
        self.meters = [VirtualSDM(spec, self.truth, boot_ns()) for spec in specs]
        self.wires = Wires(str(self.link))
        self._plugged = ExitStack()

    def plug(self) -> None:
        """Plug the adapter in; the kernel gives it whatever name is free."""
        self.link.symlink_to(self._plugged.enter_context(ttys.far_end(self._said)))

    def unplug(self) -> None:
        self.link.unlink()
        self._plugged.close()

    def does(self, action: Action) -> None:
        for meter in self.meters:
            meter.act(action, boot_ns())

    def opened(self, model: type[Meter], address: int) -> Driver:
        return self.wires.opener(model, SDMOptions(address=address))()

    def close(self) -> None:
        self._plugged.close()
        self.truth.close()

    def _said(self, data: bytes) -> bytes:
        return b"".join(meter.hear(data, boot_ns()) for meter in self.meters)


@pytest.fixture
def field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Field]:
    monkeypatch.setattr(sdm, "GAP_S", 0.0)
    monkeypatch.setattr(modbus, "ANSWER_S", LONG_S)
    made = Field(tmp_path)
    yield made
    made.close()


def reads(driver: Driver) -> bool:
    """Whether the meter is read and shows its voltage."""
    value = driver.read(0).values[0]
    return value is not None and 200 < value < 260


def silent(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the meter says nothing."""
    with monkeypatch.context() as impatient:
        impatient.setattr(modbus, "ANSWER_S", SHORT_S)
        with pytest.raises(BusTimeout, match="Modbus address 1: no answer"):
            driver.read(0)
    return True


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_absent_at_start(field: Field) -> None:
    before = descriptors()
    with pytest.raises(BusError, match=f"{field.link}: no such port; is it plugged in"):
        field.opened(SDM230, 1)
    assert descriptors() == before
    field.plug()
    driver = field.opened(SDM230, 1)
    assert reads(driver)
    driver.close()


def test_dies(field: Field) -> None:
    field.plug()
    driver = field.opened(SDM230, 1)
    field.unplug()
    with pytest.raises(BusError, match="was it unplugged"):
        driver.read(0)
    driver.close()
    with pytest.raises(BusError, match="no such port"):
        field.opened(SDM230, 1)
    field.plug()
    again = field.opened(SDM230, 1)
    assert reads(again)
    again.close()


def test_hangs(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    field.plug()
    driver = field.opened(SDM230, 1)
    field.does("hang")
    began = time.monotonic()
    assert silent(driver, monkeypatch)
    assert time.monotonic() - began < driver.budget_s
    field.does("return")
    assert reads(driver)
    driver.close()


def test_garbage(field: Field) -> None:
    field.plug()
    driver = field.opened(SDM230, 1)
    field.does("garbage")
    for _ in range(3):
        with pytest.raises(BadFrame):
            driver.read(0)
    field.does("return")
    assert reads(driver)
    driver.close()


def test_returns_under_another_name(field: Field) -> None:
    field.plug()
    first_name = field.link.readlink()
    one, three = field.opened(SDM230, 1), field.opened(SDM630, 2)
    field.unplug()
    field.plug()
    assert field.link.readlink() != first_name
    with pytest.raises(BusError, match="was it unplugged"):
        one.read(0)
    one.close()
    one = field.opened(SDM230, 1)  # while the other sensor still holds the old descriptor
    assert reads(one)
    with pytest.raises(BusError, match="given up after a fault"):
        three.read(0)
    three.close()
    three = field.opened(SDM630, 2)
    assert reads(one)
    assert reads(three)
    one.close()
    three.close()


def test_wrong_part(field: Field) -> None:
    field.plug()
    one = field.opened(SDM230, 1)
    with pytest.raises(WrongDevice, match="three phases answers"):
        field.opened(SDM120, 2)
    with pytest.raises(WrongDevice, match="one phase answers"):
        field.opened(SDM630, 1)
    assert reads(one)
    one.close()


def test_one_dead_meter_leaves_the_other_alone(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    field.plug()
    one, three = field.opened(SDM230, 1), field.opened(SDM630, 2)
    field.meters[0].act("vanish", boot_ns())
    for _ in range(3):
        assert silent(one, monkeypatch)
        assert reads(three)
    one.close()
    three.close()


def test_every_fault_gives_its_descriptors_back(field: Field) -> None:
    before = descriptors()
    for _ in range(20):
        field.plug()
        drivers = [field.opened(SDM230, 1), field.opened(SDM630, 2)]
        field.unplug()
        for driver in drivers:
            with pytest.raises(BusError):
                driver.read(0)
            driver.close()
    assert descriptors() == before
