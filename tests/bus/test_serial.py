"""Serial ports over pseudo-terminals: bytes both ways, every fault in words."""

from __future__ import annotations

import errno
import fcntl
import os
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from edgenode.bus import serial as room
from edgenode.bus.serial import Lease, SerialBus
from edgenode.errors import BusError, BusTimeout
from edgenode.reading import SerialLine
from tests.support.adapter import Adapter, descriptors

LINE = SerialLine(9600)


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


def test_a_write_that_is_not_taken_ends_in_time(
    port: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "WRITE_S", 0.05)
    began = time.monotonic()
    with pytest.raises(BusTimeout, match="takes no bytes"):
        port.write(bytes(100_000))
    assert time.monotonic() - began < 2
