"""What must progress and does not is a stall; what merely waits is none."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgenode.config import load
from edgenode.errors import NodeError
from edgenode.health import Health, Watch
from edgenode.node.daemon import feed
from edgenode.node.duties import duties
from edgenode.node.notify import Notifier
from edgenode.node.report import conditions
from edgenode.node.rooms import Rooms
from edgenode.reading import Event, EventCode
from tests.support.clock import FakeClock
from tests.support.daemons import Place

MINUTE = 60_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def rooms(tmp_path: Path, clock: FakeClock) -> Iterator[Rooms]:
    """Rooms whose threads are not started: the test is the spool's thread."""
    made = Rooms(load(Place(tmp_path).config), clock)
    yield made
    assert made.stop()


class Link:
    """Stands in for the uplink: counts that the test sets."""

    def __init__(self) -> None:
        self.progress = 0
        self.counts: dict[str, Any] = {
            "connected": True,
            "paused": False,
            "acked": 0,
            "city_acks": 0,
            "set_aside": 0,
            "parked": 0,
            "budget": "",
            "broker": "",
            "last_error": "",
            "last_ack_ms": None,
        }

    def stats(self) -> Any:
        return SimpleNamespace(**self.counts)

    def wake(self) -> None: ...


def keys(watch: Watch, clock: FakeClock) -> list[str]:
    return [problem.condition.key for problem in watch.look([], clock.boot_ms()).problems]


def test_a_spool_that_steps_is_well_and_one_that_does_not_is_a_stall(
    rooms: Rooms, clock: FakeClock
) -> None:
    watch = Watch(duties(rooms), clock.boot_ms())
    for _ in range(10):
        rooms.spool.step()
        clock.advance(30_000)
        assert keys(watch, clock) == []
    clock.advance(MINUTE + 1)
    assert keys(watch, clock) == ["spool stalled"]
    assert watch.verdict.health is Health.STALLED
    rooms.spool.step()
    assert keys(watch, clock) == []


def linked(rooms: Rooms, clock: FakeClock) -> tuple[Link, Watch]:
    """Rooms with an uplink and one batch that waits to be sent."""
    link = Link()
    rooms.uplink = link  # type: ignore[assignment]
    rooms.spool.event(clock.boot_ms(), None, Event(EventCode.TAMPER))
    rooms.spool.step()
    assert rooms.spool.stats().held_batches == 1
    return link, Watch(duties(rooms), clock.boot_ms())


def minutes(rooms: Rooms, clock: FakeClock, watch: Watch, link: Link, count: int) -> list[str]:
    """Let time pass while spool and uplink turn; return what is wrong at the end."""
    for _ in range(count):
        clock.advance(MINUTE // 2)
        rooms.spool.step()
        link.progress += 1
        keys(watch, clock)
        clock.advance(MINUTE // 2)
        rooms.spool.step()
    return keys(watch, clock)


def test_connected_with_backlog_and_no_ack_for_ten_minutes_is_a_stall(
    rooms: Rooms, clock: FakeClock
) -> None:
    link, watch = linked(rooms, clock)
    assert minutes(rooms, clock, watch, link, 9) == []
    assert minutes(rooms, clock, watch, link, 2) == ["sending stalled"]
    link.counts["acked"] = 1
    assert keys(watch, clock) == []


@pytest.mark.parametrize(
    "change",
    [
        {"connected": False},
        {"paused": True},
        {"parked": 1},
        {"budget": "near"},
        {"budget": "spent"},
    ],
)
def test_a_node_that_cannot_send_is_not_stalled(
    rooms: Rooms, clock: FakeClock, change: dict[str, Any]
) -> None:
    link, watch = linked(rooms, clock)
    link.counts |= change
    assert minutes(rooms, clock, watch, link, 30) == []


def test_an_uplink_whose_thread_stands_still_is_a_stall(rooms: Rooms, clock: FakeClock) -> None:
    link, watch = linked(rooms, clock)
    link.counts["connected"] = False
    for _ in range(8):
        clock.advance(MINUTE // 2)
        rooms.spool.step()
        found = keys(watch, clock)
    assert found == ["uplink stalled"]


def test_a_stalled_node_is_not_fed(rooms: Rooms, clock: FakeClock) -> None:
    class Deaf(Notifier):
        fed = 0

        def watchdog(self) -> None:
            self.fed += 1

    notifier = Deaf({})
    watch = Watch(duties(rooms), clock.boot_ms())
    rooms.spool.step()
    feed(notifier, watch.look([], clock.boot_ms()))
    assert notifier.fed == 1
    clock.advance(2 * MINUTE)
    feed(notifier, watch.look([], clock.boot_ms()))
    assert notifier.fed == 1


def wrong(rooms: Rooms) -> list[str]:
    return [condition.key for condition in conditions(rooms.picture())]


def test_a_link_that_was_lost_before_the_start_is_lost_until_it_is_there(
    rooms: Rooms, tmp_path: Path, clock: FakeClock
) -> None:
    assert wrong(rooms) == []
    rooms.spool.conditions.observe({"uplink": "not connected"}, clock.boot_ms())
    clock.advance(MINUTE)
    rooms.spool.step()
    assert rooms.stop()
    rooms._held.close()
    again = Rooms(load(tmp_path / "node.toml"), clock)
    try:
        assert wrong(again) == ["uplink"]
        again.uplink = link = Link()  # type: ignore[assignment]
        assert wrong(again) == []
        link.counts["connected"] = False
        assert wrong(again) == ["uplink"]
    finally:
        assert again.stop()


def test_a_link_that_a_reload_makes_anew_is_not_lost_for_half_a_minute(
    rooms: Rooms, clock: FakeClock
) -> None:
    clock.advance(MINUTE)
    rooms.uplink = Link()  # type: ignore[assignment]
    rooms.stop_uplink()
    rooms.uplink = link = Link()  # type: ignore[assignment]
    link.counts["connected"] = False
    assert wrong(rooms) == []
    clock.advance(MINUTE // 2 + 1)
    assert wrong(rooms) == ["uplink"]


def test_an_uplink_that_hangs_is_waited_for_and_never_doubled(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenode.node.rooms.UPLINK_S", 0)
    started: list[str] = []
    monkeypatch.setattr(Rooms, "start_uplink", lambda _: started.append("anew"))
    resolved = threading.Event()
    rooms._start("uplink", resolved.wait)
    rooms.uplink = Link()  # type: ignore[assignment]
    rooms.stop_uplink()
    rooms.try_uplink()
    assert (rooms.uplink, started) == (None, [])
    assert "resolver" in rooms.notes[-1].what
    resolved.set()
    rooms._threads["uplink"].join(10)
    rooms.try_uplink()
    assert started == ["anew"]
    assert rooms.notes == []


def test_a_state_directory_has_one_owner(rooms: Rooms, tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(NodeError, match="stop it first"):
        Rooms(load(tmp_path / "node.toml"), clock)
