"""Virtual serial ports through the real adapter: who hears what, and when a port is gone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.bus.serial import Port, open_port
from edgenode.errors import BusError, NodeError
from edgenode.reading import SerialLine
from edgenode.virtual import Scenario, send_command
from edgenode.virtual.cable import QUEUE_MOST
from edgenode.virtual.control import send_bus_command
from edgenode.virtual.instruments import SERIAL
from edgenode.virtual.kinds import Action, Table
from edgenode.virtual.pms5003 import Pms5003Spec
from tests.support.instruments import Street, street
from tests.support.ports import until

WAIT_S = 5.0
DYING = """
import os, sys
from edgenode.bus.serial import open_port
from edgenode.reading import SerialLine

port = open_port(sys.argv[1], SerialLine())
os._exit(7)
"""


class EchoSpec(Table, frozen=True):
    """An instrument of these tests alone."""

    sensor: str
    bus: str = "rs485"
    address: int = 0
    baud: int = 9600
    parity: str = "none"


class Echo:
    """Answers with the same bytes from its address on, and "n" with many."""

    def __init__(self, spec: EchoSpec, truth: Any, start_ns: int) -> None:
        del truth, start_ns
        self._address = bytes((spec.address,))
        self.heard = b""

    def act(self, action: Action, now_ns: int) -> None:
        """It behaves always the same."""

    def hear(self, data: bytes, now_ns: int) -> bytes:
        del now_ns
        self.heard += data
        if data.startswith(b"n"):
            return b"x" * 2 * QUEUE_MOST
        at = data.find(self._address)
        return data[at:] if at >= 0 else b""

    def next_ns(self) -> int | None:
        return None

    def speak(self, now_ns: int) -> bytes:
        raise AssertionError(now_ns)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    table: Any = SERIAL
    monkeypatch.setitem(table, EchoSpec, Echo)
    specs: Any = (
        EchoSpec("one", address=1),
        EchoSpec("two", address=2),
        EchoSpec("even", bus="even", baud=19_200, parity="even"),
        Pms5003Spec("dust", bus="usb"),
    )
    with street(tmp_path, Scenario(specs)) as running:
        yield running


def port(here: Street, bus: str = "rs485", line: SerialLine | None = None) -> Port:
    return open_port(here.path(bus), line or SerialLine())


def heard(here: Street, sensor: str) -> bytes:
    instrument: Any = here.server.instruments[sensor]
    told: bytes = instrument.heard
    return told


def test_everybody_on_a_bus_hears_and_who_is_meant_answers(here: Street) -> None:
    rs485 = port(here)
    rs485.write(b"\x02hello")
    assert rs485.receive(6, WAIT_S) == b"\x02hello"
    rs485.write(b"\x01")
    assert rs485.receive(1, WAIT_S) == b"\x01"
    for sensor in ("one", "two"):
        until(lambda s=sensor: heard(here, s) == b"\x02hello\x01", sensor)  # type: ignore[misc]
    rs485.close()


def test_a_port_is_open_once_and_free_as_soon_as_it_is_closed(here: Street) -> None:
    for _ in range(20):
        rs485 = port(here)
        with pytest.raises(BusError, match="busy"):
            port(here)
        rs485.close()


def test_a_port_whose_process_died_is_free(here: Street) -> None:
    words = [sys.executable, "-c", DYING, here.path("rs485")]
    assert subprocess.run(words, check=False).returncode == 7

    def opened() -> bool:
        try:
            port(here).close()
        except BusError:
            return False
        return True

    until(opened, "the port to be free")


def test_a_port_where_nothing_stands_is_not_there(here: Street) -> None:
    with pytest.raises(BusError, match="No such device"):
        port(here, "moon")


def test_one_that_vanishes_is_silent_and_the_others_go_on(here: Street) -> None:
    rs485 = port(here)
    send_command(here.control, "one", "vanish")
    rs485.write(b"\x01lost")
    rs485.write(b"\x02kept")
    assert rs485.receive(5, WAIT_S) == b"\x02kept"
    assert b"lost" not in heard(here, "one")
    send_command(here.control, "one", "return")
    rs485.write(b"\x01back")
    assert rs485.receive(5, WAIT_S) == b"\x01back"
    rs485.close()


def test_a_port_from_which_all_vanish_ends_and_is_not_there_until_one_returns(
    here: Street,
) -> None:
    rs485 = port(here)
    send_bus_command(here.control, "rs485", "vanish")
    with pytest.raises(BusError, match="unplugged"):
        rs485.receive(1, WAIT_S)
    with pytest.raises(BusError, match="No such device"):
        port(here)
    rs485.close()
    send_command(here.control, "two", "return")
    again = port(here)
    again.write(b"\x02")
    assert again.receive(1, WAIT_S) == b"\x02"
    again.close()


def test_a_port_that_was_opened_anew_is_not_ended_by_closing_the_old_one(here: Street) -> None:
    old = port(here)
    send_bus_command(here.control, "rs485", "vanish")
    send_bus_command(here.control, "rs485", "return")
    new = port(here)
    old.close()
    new.write(b"\x01still here")
    assert new.receive(11, WAIT_S) == b"\x01still here"
    new.close()


@pytest.mark.parametrize("line", [SerialLine(9600, "even"), SerialLine(19_200), SerialLine()])
def test_a_wrong_speed_or_parity_makes_nonsense_of_bytes(here: Street, line: SerialLine) -> None:
    wrong = port(here, "even", line)
    wrong.write(b"\0" * 32)
    until(lambda: len(heard(here, "even")) == 32, "the bytes to arrive")
    assert heard(here, "even") != b"\0" * 32
    wrong.close()


def test_the_speed_and_parity_of_the_part_are_understood(here: Street) -> None:
    right = port(here, "even", SerialLine(19_200, "even"))
    right.write(b"\0" * 32)
    assert right.receive(32, WAIT_S) == b"\0" * 32
    right.close()


def test_what_nobody_reads_is_lost_beyond_what_a_tty_holds(here: Street) -> None:
    rs485 = port(here)
    rs485.write(b"n")
    assert len(rs485.receive(QUEUE_MOST, WAIT_S)) == QUEUE_MOST
    assert rs485.arrived() == b""
    rs485.close()


def test_a_sensor_that_streams_is_heard_from_when_its_port_is_opened(here: Street) -> None:
    usb = port(here, "usb")
    assert usb.receive(4, WAIT_S) == b"BM\x00\x1c"
    send_command(here.control, "dust", "vanish")
    with pytest.raises(BusError, match="unplugged"):
        usb.receive(1000, WAIT_S)
    usb.close()


def test_a_command_names_one_sensor_or_one_bus(here: Street) -> None:
    with pytest.raises(NodeError, match="there are even, rs485, usb"):
        send_bus_command(here.control, "moon", "nack")
    with pytest.raises(NodeError, match='either a "sensor" or a "bus"'):
        send_command(here.control, "", "nack")


def test_a_port_is_understood_from_the_moment_on_at_which_it_has_the_right_speed(
    here: Street,
) -> None:
    tuned = port(here, "even", SerialLine(9600, "even"))
    tuned.write(b"\0" * 8)
    until(lambda: len(heard(here, "even")) == 8, "the bytes to arrive")
    tuned.speed(19_200)
    tuned.discard()
    tuned.write(b"\0" * 32)
    assert tuned.receive(32, WAIT_S) == b"\0" * 32
    tuned.close()
