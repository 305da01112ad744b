"""Serial ports over pseudo-terminals: shared leases, every fault in words, nothing left open."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import termios
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.bus import serial as room
from edgenode.bus.serial import Lease, SerialBus
from edgenode.errors import BusError, BusTimeout
from edgenode.reading import SerialLine

LINE = SerialLine(9600)


class Adapter:
    """A USB adapter behind a name that does not change; `far` is what hangs on its cable."""

    def __init__(self, directory: Path) -> None:
        self.path = str(directory / "usb-FTDI_A1-if00-port0")
        self.far = -1
        self.plug()

    def plug(self) -> None:
        self.far, near = pty.openpty()
        tty.setraw(near)
        Path(self.path).symlink_to(os.ttyname(near))
        os.close(near)

    def unplug(self) -> None:
        Path(self.path).unlink()
        os.close(self.far)
        self.far = -1

    def says(self, data: bytes) -> None:
        assert os.write(self.far, data) == len(data)

    def close(self) -> None:
        if self.far >= 0:
            os.close(self.far)


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
    lease = bus.lease(LINE)
    yield lease
    lease.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_bytes_go_both_ways_unchanged(adapter: Adapter, port: Lease) -> None:
    every = bytes(range(256))
    port.write(every)
    assert os.read(adapter.far, 256) == every
    adapter.says(every)
    assert port.receive(256, 1) == every


def test_a_quiet_port_has_nothing_and_is_not_gone(port: Lease) -> None:
    assert port.arrived() == b""
    assert port.receive(1, 0) == b""


def test_receiving_ends_with_the_bytes_that_were_wanted(adapter: Adapter, port: Lease) -> None:
    adapter.says(b"12345678")
    began = time.monotonic()
    assert port.receive(5, 10) == b"12345"
    assert time.monotonic() - began < 5
    assert port.arrived() == b"678"


def test_receiving_gives_what_came_when_its_time_is_over(adapter: Adapter, port: Lease) -> None:
    adapter.says(b"123")
    began = time.monotonic()
    assert port.receive(5, 0.05) == b"123"
    assert time.monotonic() - began >= 0.05


def test_what_is_discarded_is_never_read(adapter: Adapter, port: Lease) -> None:
    adapter.says(b"old" * 100)
    port.discard()
    adapter.says(b"new")
    assert port.receive(3, 1) == b"new"


def test_the_descriptor_is_ready_when_bytes_have_arrived(adapter: Adapter, port: Lease) -> None:
    adapter.says(b"x")
    assert os.read(port.fileno(), 10) == b"x"


def test_a_port_tells_the_speed_it_was_opened_with(port: Lease) -> None:
    assert port.line == LINE


def test_a_port_goes_on_at_another_speed_when_its_part_does(adapter: Adapter, port: Lease) -> None:
    assert termios.tcgetattr(port.fileno())[4:6] == [termios.B9600] * 2
    port.write(b"\x06050\r\n")
    port.speed(300)
    assert termios.tcgetattr(port.fileno())[4:6] == [termios.B300] * 2
    adapter.says(b"data")
    assert port.receive(4, 1) == b"data"


def test_a_speed_that_no_port_has_is_a_bus_error(port: Lease) -> None:
    with pytest.raises(BusError, match="cannot be set to -1 baud"):
        port.speed(-1)


def test_a_port_that_is_not_there_says_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(BusError, match=r"usb-none: no such port; is it plugged in\? ls -l"):
        SerialBus(f"{tmp_path}/usb-none").lease(LINE)


def test_a_port_that_another_program_has_says_so(adapter: Adapter, bus: SerialBus) -> None:
    other = os.open(adapter.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(BusError, match="another program has this port; stop it"):
        bus.lease(LINE)
    os.close(other)
    bus.lease(LINE).close()


def test_two_buses_never_share_a_port(adapter: Adapter, bus: SerialBus, port: Lease) -> None:
    with pytest.raises(BusError, match="another program has this port"):
        SerialBus(adapter.path).lease(LINE)


def test_what_is_no_serial_port_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = descriptors()
    with pytest.raises(BusError, match="file: this is no serial port; name one of"):
        SerialBus(f"{tmp_path}/file").lease(LINE)
    assert descriptors() == before


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "permission denied; add the user to the group dialout"),
        (errno.EBUSY, "another program has this port"),
        (errno.EIO, "the adapter does not answer; unplug it and plug it in again"),
        (errno.ENXIO, "the adapter does not answer"),
        (errno.EMFILE, "Too many open files; see dmesg"),
    ],
)
def test_each_refusal_of_the_kernel_says_what_to_do(
    bus: SerialBus, number: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("serial.Serial", refuse)
    with pytest.raises(BusError, match=words):
        bus.lease(LINE)


def test_a_speed_that_the_port_cannot_have_is_said(bus: SerialBus) -> None:
    with pytest.raises(BusError, match="cannot be set"):
        bus.lease(SerialLine(9600, stop_bits=7))


@pytest.mark.parametrize("call", ["arrived", "receive", "write", "discard"])
def test_a_port_unplugged_while_open_is_a_bus_error_that_says_so(
    adapter: Adapter, port: Lease, call: str
) -> None:
    arguments: dict[str, tuple[Any, ...]] = {"receive": (1, 1.0), "write": (b"x",)}
    adapter.unplug()
    with pytest.raises(BusError, match=f"{adapter.path}: .*; was it unplugged"):
        getattr(port, call)(*arguments.get(call, ()))


def test_a_port_that_broke_is_closed_at_once_so_that_its_name_is_free(
    adapter: Adapter, bus: SerialBus
) -> None:
    before = descriptors() - 1  # the far end will be gone
    held = bus.lease(LINE)
    adapter.unplug()
    with pytest.raises(BusError):
        held.arrived()
    assert descriptors() == before
    assert held.fileno() == -1
    held.close()


def test_a_port_that_broke_stays_broken_for_whoever_holds_it(
    adapter: Adapter, bus: SerialBus
) -> None:
    first, second = bus.lease(LINE), bus.lease(LINE)
    adapter.unplug()
    with pytest.raises(BusError):
        first.arrived()
    adapter.plug()
    for call in (second.arrived, second.discard, lambda: second.write(b"x")):
        with pytest.raises(BusError, match="was given up after a fault"):
            call()
    first.close()
    second.close()


def test_the_next_lease_opens_anew_though_others_still_hold_what_broke(
    adapter: Adapter, bus: SerialBus
) -> None:
    before = descriptors()
    first, second, third = bus.lease(LINE), bus.lease(LINE), bus.lease(LINE)
    adapter.unplug()
    with pytest.raises(BusError):
        first.arrived()
    first.close()
    adapter.plug()
    again = bus.lease(LINE)  # the others have not been read yet
    adapter.says(b"hello")
    assert again.receive(5, 1) == b"hello"
    second.close()
    third.close()
    adapter.says(b"still here")
    assert again.receive(10, 1) == b"still here"
    again.close()
    assert descriptors() == before


def test_a_port_is_open_until_the_last_lease_whatever_the_order(
    adapter: Adapter, bus: SerialBus
) -> None:
    before = descriptors()
    leases = [bus.lease(LINE) for _ in range(3)]
    opened = descriptors()
    assert opened > before
    for at, index in enumerate((1, 0, 2)):
        assert descriptors() == opened, f"closed after {at} of 3"
        leases[index].close()
        leases[index].close()  # twice is once
    assert descriptors() == before


def test_a_lease_that_was_given_back_cannot_be_used(adapter: Adapter, bus: SerialBus) -> None:
    kept, closed = bus.lease(LINE), bus.lease(LINE)
    closed.close()
    with pytest.raises(BusError, match="was closed"):
        closed.write(b"x")
    kept.write(b"y")
    assert os.read(adapter.far, 10) == b"y"
    kept.close()


def test_a_port_comes_back_under_its_name_on_another_device(
    adapter: Adapter, bus: SerialBus
) -> None:
    first = bus.lease(LINE)
    adapter.unplug()
    with pytest.raises(BusError):
        first.arrived()
    first.close()
    with pytest.raises(BusError, match="no such port"):
        bus.lease(LINE)
    adapter.plug()
    again = bus.lease(LINE)
    adapter.says(b"back")
    assert again.receive(4, 1) == b"back"
    again.close()


def test_sensors_that_want_different_speeds_on_one_port_are_told(
    bus: SerialBus, port: Lease
) -> None:
    with pytest.raises(BusError, match=r"is open at 9600 8N1 .* wants 2400 8E2.*\[\[bus\]\]"):
        bus.lease(SerialLine(2400, "even", 8, 2))


def test_a_write_that_is_not_taken_ends_in_time(
    port: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "WRITE_S", 0.05)
    began = time.monotonic()
    with pytest.raises(BusTimeout, match="takes no bytes"):
        port.write(bytes(100_000))
    assert time.monotonic() - began < 2


def test_a_hundred_plugs_leave_no_descriptor_behind(adapter: Adapter, bus: SerialBus) -> None:
    before = descriptors()
    for _ in range(100):
        lease = bus.lease(LINE)
        adapter.unplug()
        with pytest.raises(BusError):
            lease.receive(1, 0)
        lease.close()
        adapter.plug()
    assert descriptors() == before
