"""What returns under another name is found by its stable one: real adapters, links, and a worker.

A neighbour on a bus of its own is served in the same time, and must not notice.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from drivers import sdm
from drivers.loop import Loop, LoopOptions
from drivers.pulse import Pulse, PulseOptions
from drivers.sdm import SDM230, SDMOptions
from drivers.sht4x import SHT4x, SHT4xOptions
from drivers.state import State, StateOptions
from edgenode.bus import i2c, modbus
from edgenode.driver import Options
from edgenode.errors import Reason
from edgenode.reading import Group
from edgenode.sensing import BusWorker, Job, Wires
from edgenode.virtual.kinds import READ
from tests.drivers.test_sht4x import ANSWERS
from tests.support import ttys
from tests.support.fake_chip import FakeChip
from tests.support.fake_sensirion import FakeSensirion
from tests.support.meters import SINGLE, FakeMeter
from tests.support.sensing import Bench

SLOT_MS = 1000


class Node:
    """A bus at `path` with some sensors on it, and its neighbour; run by hand."""

    def __init__(self, path: Path, *sensors: tuple[Any, Options]) -> None:
        self.bench, wires = Bench(), Wires(str(path))
        self.clock, self.sink = self.bench.clock, self.bench.sink
        jobs = [
            Job(
                f"s{gid}",
                Group(gid, tuple(replace(c, name=f"s{gid}/{c.name}") for c in cls.channels)),
                wires.opener(cls, options),
                SLOT_MS,
                stamp_ms=50,
            )
            for gid, (cls, options) in enumerate(sensors, 2)
        ]
        self.worker = BusWorker("moves", jobs, self.sink, self.clock, threading.Event())
        job = self.bench.job(1, SLOT_MS)
        self.neighbour = BusWorker("stays", [job], self.sink, self.clock, threading.Event())
        self.slots = 0

    def run(self, slots: int) -> None:
        for _ in range(slots):
            self.worker.turn()
            self.neighbour.turn()
            self.clock.advance(SLOT_MS)
        self.slots += slots

    @property
    def states(self) -> set[str]:
        return {stats.state for stats in self.worker.stats().sensors}

    def close(self) -> None:
        """Leave every sensor quiet, and hold the neighbour to what it promised."""
        self.worker._halt.set()
        self.worker.run()
        stats = self.neighbour.stats()
        assert (stats.lateness_ms_p99, stats.sensors[0].missed) == (0, 0)
        assert stats.sensors[0].reads == len(self.sink.of(1)) == self.slots


@pytest.fixture
def nodes() -> Iterator[Callable[..., Node]]:
    made: list[Node] = []

    def make(path: Path, *sensors: tuple[Any, Options]) -> Node:
        made.append(Node(path, *sensors))
        return made[-1]

    yield make
    for node in made:
        node.close()


def moves(node: Node, unplug: Callable[[], None], plug: Callable[[], None]) -> None:
    """Lose the bus, bring it back elsewhere, and see that everything on it is read again."""
    node.run(3)
    assert node.states == {"ok"}
    unplug()
    node.run(5)
    assert node.states == {"lost"}
    assert {stats.reason for stats in node.worker.stats().sensors} == {Reason.NO_ANSWER}
    plug()
    node.run(60)
    assert node.states == {"ok"}


def test_a_serial_adapter_with_two_meters_by_its_id(
    tmp_path: Path, nodes: Callable[..., Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdm, "GAP_S", 0.0)
    monkeypatch.setattr(modbus, "ANSWER_S", 5.0)
    meters = [FakeMeter(SINGLE, address) for address in (1, 2)]
    link, far_ends, taken = tmp_path / "usb-FTDI_A1-if00-port0", ExitStack(), ExitStack()
    names: set[Path] = set()

    def plug() -> None:
        port = ttys.far_end(lambda data: b"".join(meter(data) for meter in meters))
        link.symlink_to(far_ends.enter_context(port))
        names.add(link.readlink())

    def unplug() -> None:
        link.unlink()
        far_ends.close()

    def plug_elsewhere() -> None:
        (old,) = names
        while not old.exists():  # until it is somebody else's: here or in another process
            far, _ = ttys.opened()
            taken.callback(os.close, far)
        plug()

    plug()
    with far_ends, taken:
        sensors = [(SDM230, SDMOptions(address=address)) for address in (1, 2)]
        moves(nodes(link, *sensors), unplug, plug_elsewhere)
    assert len(names) == 2


class Adapter:
    """Stands where smbus2.SMBus stands: an adapter with one chip, by the name it has now."""

    there: ClassVar[dict[str, FakeSensirion]] = {}

    def __init__(self, path: str) -> None:
        self._name = os.path.realpath(path)
        self._chip()

    def _chip(self) -> FakeSensirion:
        if self._name not in self.there:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return self.there[self._name]

    def i2c_rdwr(self, *i2c_msgs: Any) -> None:
        chip = self._chip()
        for message in i2c_msgs:
            if message.flags & READ:
                ctypes.memmove(message.buf, chip.transfer(b"", message.len), message.len)
            else:
                chip.transfer(bytes(message), 0)

    def close(self) -> None:
        """Nothing is open."""


def test_an_i2c_adapter_by_a_link(
    tmp_path: Path, nodes: Callable[..., Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(i2c, "SMBus", Adapter)
    monkeypatch.setattr(Adapter, "there", {str(tmp_path / "i2c-11"): FakeSensirion(ANSWERS)})
    link = tmp_path / "i2c-tiny-usb"
    link.symlink_to(tmp_path / "i2c-11")

    def plug_elsewhere() -> None:
        Adapter.there[str(tmp_path / "i2c-12")] = FakeSensirion(ANSWERS)
        link.unlink()
        link.symlink_to(tmp_path / "i2c-12")

    node = nodes(link, (SHT4x, SHT4xOptions(precision="low")))
    moves(node, Adapter.there.clear, plug_elsewhere)


class Chips:
    """The kernel's end of several GPIO chips; which one is meant, the descriptor says."""

    def __init__(self, directory: Path, count: int) -> None:
        self.each = []
        for n in range(count):
            (directory / str(n)).mkdir()
            self.each.append(FakeChip(directory / str(n)))

    def ioctl(self, descriptor: int, code: int, argument: bytearray) -> int:
        inode = os.fstat(descriptor).st_ino
        for chip in self.each:
            if inode in chip.readers or inode == Path(chip.path).stat().st_ino:
                return chip.ioctl(descriptor, code, argument)
        raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))


def test_a_gpio_chip_by_a_link_with_everything_that_stands_on_lines(
    tmp_path: Path, nodes: Callable[..., Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    chips = Chips(tmp_path, 2)
    monkeypatch.setattr(fcntl, "ioctl", chips.ioctl)
    first, second = chips.each
    link = tmp_path / "gpio-street"
    link.symlink_to(first.path)

    def plug_elsewhere() -> None:
        link.unlink()
        link.symlink_to(second.path)

    node = nodes(
        link,
        (Pulse, PulseOptions(line=1)),
        (Loop, LoopOptions(line=2)),
        (State, StateOptions(line=3)),
    )
    moves(node, first.vanish, plug_elsewhere)
    for line in (1, 2, 3):
        second.edge(line, 1)
    node.run(1)
    counted = [node.sink.totals[name].value for name in ("s2/count", "s3/count", "s4/changes")]
    assert counted == [1, 1, 1]
