"""Output lines: the bytes the kernel is asked with, and virtual ones over their socket."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.bus.outputs import OutputLine
from edgenode.bus.request import GET_VALUES_IOCTL, SET_VALUES_IOCTL
from edgenode.bus.simulated import STATUS
from edgenode.errors import BusError, BusTimeout
from tests.support.fake_chip import ATTRS, FLAGS, FakeChip


def test_the_codes_are_those_of_the_header() -> None:
    assert GET_VALUES_IOCTL == (3 << 30) | (16 << 16) | (0xB4 << 8) | 0x0E
    assert SET_VALUES_IOCTL == (3 << 30) | (16 << 16) | (0xB4 << 8) | 0x0F


@pytest.mark.parametrize(
    ("asked", "flags", "first"),
    [
        ({}, 1 << 3, 0),
        ({"active_low": True, "initial": True}, 1 << 3 | 1 << 1, 1),
        ({"open_drain": True, "initial": True}, 1 << 3 | 1 << 6, 1),
    ],
)
def test_an_output_is_asked_for_with_its_first_level(
    chip: FakeChip, asked: dict[str, bool], flags: int, first: int
) -> None:
    OutputLine(chip.path, 5, **asked).close()
    (request,) = chip.requests
    assert struct.unpack_from("<I", request)[0] == 5
    assert struct.unpack_from("<QI", request, FLAGS) == (flags, 1)
    assert struct.unpack_from("<IIQQ", request, ATTRS) == (2, 0, first, 1)


def test_what_is_set_is_what_the_line_has(chip: FakeChip) -> None:
    line = OutputLine(chip.path, 5)
    for level in (True, False, True):
        line.set(level)
        assert (line.get(), chip.levels[5]) == (level, int(level))
    line.close()
    line.close()


@pytest.mark.parametrize(
    ("number", "words"), [(16, "gpioinfo names it"), (13, "group gpio"), (22, "refuses this line")]
)
def test_a_line_that_is_refused_says_what_to_do(chip: FakeChip, number: int, words: str) -> None:
    chip.refusal = number
    with pytest.raises(BusError, match=words):
        OutputLine(chip.path, 5)


def test_a_chip_that_goes_is_a_bus_error(chip: FakeChip) -> None:
    line = OutputLine(chip.path, 5)
    chip.refusal = 19
    with pytest.raises(BusError, match="chip gone"):
        line.set(True)
    with pytest.raises(BusError, match="chip gone"):
        line.get()
    line.close()


class VirtualChip:
    """The server's side of one simulated output, as the head of bus.simulated has it."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "wires"
        self.hello: dict[str, object] = {}
        self.levels: list[int] = []
        self.status = 0
        self.mute = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            self.hello = json.loads(connection.recv(4096))
            self.levels = [int(bool(self.hello["initial"]))]
            if self.mute:
                connection.recv(1)
                return
            connection.send(STATUS.pack(self.status))
            while packet := connection.recv(16):
                if packet == b"?":
                    connection.send(STATUS.pack(0) + bytes([self.levels[-1]]))
                else:
                    self.levels.append(packet[0])
                    connection.send(STATUS.pack(self.status))

    def close(self) -> None:
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def virtual(tmp_path: Path) -> Iterator[VirtualChip]:
    fake = VirtualChip(tmp_path)
    yield fake
    fake.close()


def test_a_virtual_output_is_driven_over_its_socket(virtual: VirtualChip) -> None:
    line = OutputLine(f"sim:{virtual.path}#gpio", 7, initial=True)
    line.set(False)
    assert line.get() is False
    line.close()
    line.close()
    assert virtual.hello == {
        "wire": "gpio",
        "bus": "gpio",
        "offset": 7,
        "direction": "output",
        "open_drain": False,
        "initial": True,
    }
    assert virtual.levels == [1, 0]


def test_active_low_is_inverted_on_the_nodes_side(virtual: VirtualChip) -> None:
    line = OutputLine(f"sim:{virtual.path}#gpio", 7, active_low=True)
    line.set(True)
    assert line.get() is True
    line.close()
    assert virtual.levels == [1, 0]


def test_a_virtual_line_that_is_refused_is_a_bus_error(virtual: VirtualChip) -> None:
    virtual.status = 16
    with pytest.raises(BusError, match="busy"):
        OutputLine(f"sim:{virtual.path}#gpio", 7)


def test_an_instrument_that_is_silent_is_a_timeout(
    virtual: VirtualChip, monkeypatch: pytest.MonkeyPatch
) -> None:
    virtual.mute = True
    monkeypatch.setattr("edgenode.bus.simulated_lines.TIMEOUT_S", 0.05)
    with pytest.raises(BusTimeout, match="no answer in time"):
        OutputLine(f"sim:{virtual.path}#gpio", 7)


def test_no_instrument_at_all_is_a_bus_error(tmp_path: Path) -> None:
    with pytest.raises(BusError, match="is the instrument there"):
        OutputLine(f"sim:{tmp_path}/nobody#gpio", 7)
