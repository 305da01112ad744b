"""Counting goes on while the daemon is restarted or killed: a real socket, real processes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.virtual import Scenario, send_command
from edgenode.virtual.pulse import PulseSpec
from edgenode.virtual.series import Play
from tests.support.instruments import Street, street
from tests.support.ports import until
from tests.support.service_manager import ServiceManager, service_manager

ROOT = Path(__file__).parents[2]
SCENARIO = Scenario(
    (PulseSpec("meter", line=4, every_ms=100, width_us=2000, pulses=Play(offset=10)),)
)


class Life:
    """One life of the counting process, started as systemd starts it."""

    def __init__(self, driver: str, here: Street, manager: ServiceManager | None) -> None:
        reader, writer = os.pipe()
        passed = manager.stored if manager else []
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "NOTIFY_SOCKET": manager.path if manager else "",
            "LISTEN_FDS": str(len(passed)),
            "LISTEN_FDNAMES": ":".join(name for name, _ in passed),
        }
        words = [driver, here.path("gpio"), "4", str(here.directory / "durable")]
        # First out of the way of what they are to become, then there: 1, and 3 and above.
        wanted = [(writer, 1), *((kept, 3 + n) for n, (_, kept) in enumerate(passed))]
        moves = [(os.POSIX_SPAWN_DUP2, had, 100 + n) for n, (had, _) in enumerate(wanted)]
        moves += [(os.POSIX_SPAWN_DUP2, 100 + n, to) for n, (_, to) in enumerate(wanted)]
        self.pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "tests.support.counting", *words],
            environ,
            file_actions=moves,
        )
        os.close(writer)
        self.said = os.fdopen(reader)
        self.total = self.resets = 0

    def hear(self) -> bool:
        """Take in one line; False at the end of the street."""
        line = self.said.readline()
        assert line, "the counting process ended"
        if line == "ended\n":
            return False
        self.total, self.resets = map(int, line.split())
        return True

    def end(self, number: int) -> None:
        os.kill(self.pid, number)
        os.waitpid(self.pid, 0)
        self.said.close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Street]:
    with street(tmp_path, SCENARIO) as running:
        yield running


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    with service_manager(tmp_path) as running:
        yield running


def played(here: Street) -> int:
    return sum(1 for line in here.truth() if line["fate"] == "ok")


def until_played(here: Street, count: int) -> None:
    until(lambda: played(here) >= count, f"{count} pulses", 20)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("driver", ["pulse", "loop"])
def test_a_restart_misses_no_pulse_and_tells_of_no_gap(
    here: Street, manager: ServiceManager, driver: str, number: int
) -> None:
    first = Life(driver, here, manager)
    while first.total < 20:
        first.hear()
    first.end(number)
    until_played(here, played(here) + 20)  # while nobody is there
    second = Life(driver, here, manager)
    before = first.total
    while second.total < played(here) - 5:
        second.hear()
        assert second.total >= before - 10  # what was durable; a total never goes back
    send_command(here.control, "meter", "vanish")
    while second.hear():
        pass
    os.waitpid(second.pid, 0)
    second.said.close()
    assert second.resets == 0
    assert second.total == played(here) >= 40


def test_without_a_store_the_gap_is_missed_and_told(here: Street) -> None:
    first = Life("pulse", here, None)
    while first.total < 20:
        first.hear()
    first.end(signal.SIGTERM)
    second = Life("pulse", here, None)
    second.hear()
    assert second.resets == 1
    second.end(signal.SIGTERM)
