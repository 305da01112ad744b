"""Virtual lines: pulses counted exactly, by one at a time, also while nobody runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.pulse import Pulse, PulseOptions
from edgenode.bus import open_line
from edgenode.errors import BusError
from edgenode.virtual import Scenario, send_command
from edgenode.virtual.pulse import PulseSpec
from edgenode.virtual.series import Play
from tests.support.instruments import Street, street
from tests.support.ports import until

SCENARIO = Scenario(
    (PulseSpec("meter", line=4, every_ms=100, width_us=1000, pulses=Play(offset=10)),)
)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Street]:
    with street(tmp_path, SCENARIO) as running:
        yield running


def test_pulses_are_counted_exactly_and_each_is_in_the_log(here: Street) -> None:
    pulse = Pulse(open_line(here.path("gpio"), 4), PulseOptions(line=4))
    until(lambda: (pulse.read(0).values[0] or 0) >= 30, "thirty pulses")
    send_command(here.control, "meter", "vanish")
    with pytest.raises(BusError, match="the line ended"):
        drained(pulse)
    counted = [line for line in here.truth() if line["fate"] == "ok"]
    assert len(counted) == pulse.counts()["count"]
    values = [line["value"] for line in here.truth() if line["channel"] == "meter/count"]
    assert values == list(range(1, len(values) + 1))


def drained(pulse: Pulse) -> None:
    """Feed until the line says that it has ended."""
    for _ in range(1000):
        pulse.feed(0)


def test_a_full_queue_loses_its_oldest_events_and_no_count(here: Street) -> None:
    line = open_line(here.path("gpio"), 4, event_buffer=16)
    until(lambda: [t["fate"] for t in here.truth()].count("ok") >= 40, "forty pulses")
    events = line.events()
    assert len(events) == 16
    assert [e.line_seqno for e in events] == list(range(line.line_seqno - 15, line.line_seqno + 1))
    assert line.line_seqno >= 40
    line.close()


def test_a_contact_that_bounces_counts_too_much_unless_the_kernel_debounces(here: Street) -> None:
    send_command(here.control, "meter", "garbage")
    line = open_line(here.path("gpio"), 4)
    until(lambda: line.events() and line.line_seqno >= 6, "two pulses that count thrice")
    line.close()
    assert "garbage" in {t["fate"] for t in here.truth()}
    quiet = open_line(here.path("gpio"), 4, debounce_us=500)
    before = len(here.truth())
    until(lambda: len(here.truth()) >= before + 3, "three pulses")
    quiet.close()
    assert {t["fate"] for t in here.truth()[before:]} <= {"ok", "nack"}


def test_a_line_is_watched_by_one_at_a_time(here: Street) -> None:
    line = open_line(here.path("gpio"), 4)
    with pytest.raises(BusError, match="busy"):
        open_line(here.path("gpio"), 4)
    line.close()
    open_line(here.path("gpio"), 4).close()


DYING = """
import os, socket, sys
from edgenode.bus import open_line

class Store:  # as the service manager: whoever has the other end keeps the descriptors
    def take(self, name): return None
    def drop(self, name): pass
    def put(self, name, descriptors, total):
        socket.send_fds(socket.socket(fileno=int(sys.argv[2])), [b"."], descriptors)

line = open_line(sys.argv[1], 4, store=Store())
line.keep(0)
os._exit(1)
"""


def test_a_line_outlives_its_process_for_as_long_as_its_descriptors_are_kept(here: Street) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        words = [sys.executable, "-c", DYING, here.path("gpio"), str(theirs.fileno())]
        subprocess.run(words, pass_fds=[theirs.fileno()], check=False)
        _, kept, _, _ = socket.recv_fds(ours, 1, 2)
    before = len(counted(here))
    until(lambda: len(counted(here)) > before, "pulses that are counted though nobody runs")
    with pytest.raises(BusError, match="busy"):
        open_line(here.path("gpio"), 4)
    for descriptor in kept:
        os.close(descriptor)
    until(lambda: here.truth()[-1]["fate"] == "nack", "a pulse that nobody counts")
    open_line(here.path("gpio"), 4).close()


def counted(here: Street) -> list[dict[str, Any]]:
    return [line for line in here.truth() if line["fate"] == "ok"]


@pytest.mark.parametrize("action", ["nack", "vanish"])
def test_a_line_that_is_gone_cannot_be_opened(here: Street, action: str) -> None:
    send_command(here.control, "meter", action)  # type: ignore[arg-type]
    with pytest.raises(BusError, match="is the instrument there"):
        open_line(here.path("gpio"), 4)


def test_a_line_nobody_made_cannot_be_opened(here: Street) -> None:
    with pytest.raises(BusError, match="No such device"):
        open_line(here.path("gpio"), 5)
