"""A bus that hangs for good: the daemon leaves, remembers why, and says so at its next start."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgenode.config import load
from edgenode.node import Daemon, Notifier, Stop
from edgenode.node.daemon import DONE, FAILED, REBOOT
from edgenode.node.lastresort import PATIENCE_MS
from edgenode.node.refuge import LOOK_MS
from edgenode.node.rooms import Rooms
from edgenode.sensing import WorkerStats
from edgenode.spool import Spool
from edgenode.wire import Ack
from tests.support.clock import FakeClock
from tests.support.daemons import NODE, Place
from tests.support.spools import drained

HANGING = WorkerStats(
    "wire",
    stuck=True,
    times_stuck=1,
    lateness_ms_p50=0,
    lateness_ms_p99=0,
    sensors=(),
    stuck_since_ms=0,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> list[WorkerStats]:
    """What buses look like to the daemon, beside those that it has."""
    found: list[WorkerStats] = []
    picture = Rooms.picture

    def looked(rooms: Rooms) -> Any:
        return replace(picture(rooms), buses=list(found))

    monkeypatch.setattr(Rooms, "picture", looked)
    return found


class Life:
    """One life of the daemon whose loop is turned by hand; no sensor is opened."""

    def __init__(self, place: Place, clock: FakeClock) -> None:
        self.stop = Stop()
        self.daemon = Daemon(load(place.config), place.config, clock, Notifier({}), self.stop)
        self.clock = clock
        self.daemon._chronicle.started(
            self.daemon._mark.cause(), self.daemon._mark.start(), clock.boot_ms()
        )

    def look(self) -> None:
        self.daemon._look()
        self.daemon._rooms.spool.step()

    def leave(self) -> int:
        code = self.daemon._leave()
        self.daemon._rooms._held.close()  # as the end of the process does
        return code

    def restarts(self) -> list[tuple[object, object]]:
        return [(row["what"], row["cause"]) for row in self.daemon._chronicle.restarts()]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_bus_that_hangs_for_ten_minutes_ends_the_daemon_and_then_the_machine(
    place: Place, clock: FakeClock, stuck: list[WorkerStats]
) -> None:
    life = Life(place, clock)
    stuck.append(replace(HANGING, stuck_since_ms=clock.boot_ms()))
    clock.advance(PATIENCE_MS - 1)
    life.look()
    assert not life.stop.is_set()
    clock.advance(1)
    life.look()
    assert life.stop.is_set()
    assert life.leave() == FAILED, "systemd starts it anew"

    life = Life(place, clock)
    assert life.restarts()[-1] == ("start", "recovery")
    stuck[:] = [replace(HANGING, stuck_since_ms=clock.boot_ms())]
    clock.advance(PATIENCE_MS)
    life.look()
    assert life.leave() == REBOOT

    clock.reboot()
    stuck.clear()
    life = Life(place, clock)
    assert life.restarts()[-1] == ("boot", "recovery")
    life.look()
    assert life.leave() == DONE


def test_nobody_is_sent_away_while_somebody_works_on_the_node(
    place: Place, clock: FakeClock, stuck: list[WorkerStats]
) -> None:
    life = Life(place, clock)
    stuck.append(replace(HANGING, stuck_since_ms=clock.boot_ms()))
    life.daemon._visits.begin(60, "a new cable")
    clock.advance(PATIENCE_MS)
    life.look()
    assert not life.stop.is_set()
    assert life.leave() == DONE


def confirm_everything(spool: Spool) -> None:
    """Be the city that has all of it."""
    spool.outbox.begin_session()
    for sealed in drained(spool.outbox):
        ranges = {sealed.stream: ((1, sealed.seq),)}
        spool.outbox.city_acked(Ack(bytes.fromhex(NODE), spool.id, ranges))
    spool.settle()


def test_a_disk_that_is_well_again_is_returned_to_once_nothing_is_left_in_memory(
    place: Place, clock: FakeClock, stuck: list[WorkerStats]
) -> None:
    directory = load(place.config).node.state / "spool"
    directory.parent.mkdir()
    directory.write_text("not a directory")
    life = Life(place, clock)
    spool = life.daemon._rooms.spool
    assert spool.in_memory
    clock.advance(LOOK_MS)
    life.look()
    assert not life.stop.is_set(), "the disk is no better yet"
    directory.unlink()
    clock.advance(LOOK_MS)
    life.look()
    assert not life.stop.is_set(), "what was told so far waits to be sent, and would be given up"
    confirm_everything(spool)
    clock.advance(LOOK_MS)
    life.look()
    assert life.leave() == FAILED, "systemd starts it anew"
    assert not Life(place, clock).daemon._rooms.spool.in_memory
