"""What was wrong is noted, told as an event with its end, and told of later, across restarts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.health import Condition, Problem
from edgenode.node.boot import BootCause, StartCause
from edgenode.node.chronicle import Chronicle, Now
from edgenode.reading import ClockSource, EventCode
from edgenode.spool import Spool
from tests.support.clock import FakeClock
from tests.support.spools import account, kill, opened

SECOND = 1_000
MINUTE = 60 * SECOND


class Node:
    """The spool and the chronicle of one life after another; the test is their main thread."""

    def __init__(self, directory: Path, clock: FakeClock) -> None:
        self.directory, self.clock = directory, clock
        self.start()

    def start(self) -> None:
        self.spool: Spool = opened(self.directory, self.clock)
        self.chronicle = Chronicle(self.spool)

    def live(self, seconds: int, *keys: str) -> None:
        """Let time pass while this is wrong."""
        for _ in range(seconds):
            now_ms = self.clock.boot_ms()
            problems = [Problem(Condition(key, f"{key} is bad", "look"), now_ms) for key in keys]
            self.chronicle.look(problems, ClockSource.NTP, now_ms)
            self.spool.step()
            self.clock.advance(SECOND)

    def now(self) -> Now:
        return Now(self.clock.boot_ms(), self.clock.utc_ms())

    def events(self) -> list[tuple[int, object]]:
        """What the City OS would be told, in the order in which it happened."""
        told = [event for batch in account(self.spool).batches for event in batch.events]
        return [(e.code, e.value) for e in sorted(told, key=lambda e: e.t)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def node(tmp_path: Path, clock: FakeClock) -> Iterator[Node]:
    made = Node(tmp_path, clock)
    yield made
    made.spool.close()


def test_a_link_that_is_lost_and_found_is_told_with_how_long_it_was_gone(node: Node) -> None:
    node.live(5)
    node.live(90, "uplink")
    node.live(5)
    assert node.events() == [(EventCode.LINK_LOST, None), (EventCode.LINK_FOUND, 90)]


def test_what_comes_and_goes_is_told_each_time_with_how_long_that_lasted(node: Node) -> None:
    for _ in range(3):
        node.live(20, "uplink")
        node.live(60)
    node.live(20, "uplink")
    since = node.chronicle.since(node.now())["uplink"]
    assert (since.for_ms, since.times) == (20 * SECOND, 4)
    assert since.utc_ms == node.clock.utc_ms() - 20 * SECOND
    node.live(1)
    lost, found = (EventCode.LINK_LOST, None), (EventCode.LINK_FOUND, 20)
    assert node.events() == [lost, found] * 4


def test_a_clock_that_is_lost_and_found_is_told_with_who_vouches(node: Node) -> None:
    node.live(90, "clock")
    node.live(5)
    assert node.events() == [
        (EventCode.CLOCK_LOST, None),
        (EventCode.CLOCK_FOUND, ClockSource.NTP),
    ]


def test_what_sensors_tell_of_themselves_is_noted_and_not_told_twice(node: Node) -> None:
    node.live(90, "sensor air")
    node.live(5)
    assert node.events() == []
    (entry,) = node.chronicle.entries()
    assert (entry["key"], entry["what"], entry["lasted_s"]) == (
        "sensor air",
        "sensor air is bad",
        90,
    )


def test_a_loss_goes_on_over_a_restart_and_has_one_end(node: Node) -> None:
    node.live(30, "uplink")
    kill(node.spool)
    node.start()
    node.live(30, "uplink")
    assert node.chronicle.since(node.now())["uplink"].for_ms == 60 * SECOND
    node.live(5)
    assert node.events() == [(EventCode.LINK_LOST, None), (EventCode.LINK_FOUND, 60)]


def test_a_loss_goes_on_over_a_power_cut_since_when_it_began(node: Node, clock: FakeClock) -> None:
    node.live(300, "sensor air")
    began_utc_ms = clock.utc_ms() - 300 * SECOND
    kill(node.spool)
    clock.reboot(10 * MINUTE)
    node.start()
    node.live(10, "sensor air")
    since = node.chronicle.since(node.now())["sensor air"]
    assert since.utc_ms == began_utc_ms
    assert since.for_ms == 15 * MINUTE + 10 * SECOND


def test_without_a_clock_only_what_is_sure_is_said(node: Node, clock: FakeClock) -> None:
    node.live(300, "sensor air")
    kill(node.spool)
    clock.reboot()
    node.start()
    node.live(10, "sensor air")
    since = node.chronicle.since(Now(clock.boot_ms(), None))["sensor air"]
    assert since.for_ms == clock.boot_ms(), "at least as long as the machine runs"


def test_what_was_over_before_a_moment_is_left_out(node: Node, clock: FakeClock) -> None:
    node.live(30, "sensor air")
    node.live(700)
    middle = clock.utc_ms()
    node.live(30, "sensor loop")
    node.live(1)
    assert [e["key"] for e in node.chronicle.entries()] == ["sensor air", "sensor loop"]
    assert [e["key"] for e in node.chronicle.entries(middle)] == ["sensor loop"]
    assert [e["key"] for e in node.chronicle.entries(limit=1)] == ["sensor loop"]
    assert [e["key"] for e in node.chronicle.about({"sensor air"}, 20)] == ["sensor air"]


def test_starts_are_noted_and_told_with_their_cause(node: Node, clock: FakeClock) -> None:
    node.chronicle.started(BootCause.SUDDEN, StartCause.BOOT, clock.boot_ms())
    clock.advance(SECOND)
    node.chronicle.started(None, StartCause.SUDDEN, clock.boot_ms())
    node.live(1)
    found = [(row["what"], row["cause"]) for row in node.chronicle.restarts()]
    assert found == [("boot", "sudden"), ("start", "sudden")]
    assert node.events() == [
        (EventCode.BOOT, BootCause.SUDDEN),
        (EventCode.DAEMON_STARTED, StartCause.BOOT),
        (EventCode.DAEMON_STARTED, StartCause.SUDDEN),
    ]
