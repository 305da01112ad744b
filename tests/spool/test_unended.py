"""What events have told the beginning of and not the end is known after any crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenode.errors import SpoolError
from edgenode.reading import Event, EventCode, Group, SpoolReason
from edgenode.spool import Spool
from edgenode.spool.births import Births, describe
from edgenode.spool.door import event_to_row
from edgenode.spool.journal import Journal
from edgenode.spool.unended import MOST, Unended
from tests.support.clock import FakeClock
from tests.support.spools import AIR, GROUPS, METER, NODE, feed, kill, opened

LOST, FOUND = EventCode.SENSOR_LOST, EventCode.SENSOR_FOUND


def tell(spool: Spool, code: EventCode, value: int | None = None, gid: int | None = 1) -> None:
    """Have an event durable, sealed or not as its code goes."""
    spool.event(spool.clock.boot_ms(), gid, Event(code, value=value))
    spool.clock.advance(5_000)  # type: ignore[attr-defined]
    spool.step()


def standing(spool: Spool) -> list[tuple[int, str | None, int | None]]:
    return [one[:3] for one in spool.unended.standing()]


def after_a_crash(spool: Spool, clock: FakeClock) -> Spool:
    kill(spool)
    clock.reboot()
    return opened(spool.options.directory, clock)


def test_a_beginning_stands_from_its_commit_on_and_over_crashes_until_its_end(
    spool: Spool, clock: FakeClock
) -> None:
    began_ms, epoch = clock.boot_ms(), spool.epoch
    tell(spool, LOST, 1)
    for _ in range(3):
        spool = after_a_crash(spool, clock)
        (one,) = spool.unended.standing()
        assert one == (LOST, "air", None, epoch, began_ms)
        feed(spool, clock, 70)
    tell(spool, FOUND)
    assert standing(spool) == []
    assert standing(after_a_crash(spool, clock)) == []


def test_what_no_commit_covered_was_never_told(spool: Spool, clock: FakeClock) -> None:
    spool.event(clock.boot_ms(), 1, Event(LOST, value=1))
    assert standing(spool) == []
    assert standing(after_a_crash(spool, clock)) == []


def test_an_end_that_no_commit_covered_is_owed_still(spool: Spool, clock: FakeClock) -> None:
    tell(spool, LOST, 1)
    spool.event(clock.boot_ms(), 1, Event(FOUND))
    assert standing(after_a_crash(spool, clock)) == [(LOST, "air", None)]


def test_an_end_that_is_committed_and_not_sealed_counts(spool: Spool, clock: FakeClock) -> None:
    tell(spool, LOST, 1)
    feed(spool, clock, 70)
    seals = spool.stats().seals
    tell(spool, FOUND)
    assert spool.stats().seals == seals
    assert standing(after_a_crash(spool, clock)) == []


def test_limits_and_reasons_have_an_end_each_and_others_have_one(spool: Spool) -> None:
    exceeded, cleared = EventCode.LIMIT_EXCEEDED, EventCode.LIMIT_CLEARED
    tell(spool, exceeded, 1, None)
    tell(spool, exceeded, 2, None)
    tell(spool, cleared, 1, None)
    assert standing(spool) == [(exceeded, None, 2)]
    tell(spool, LOST, 1)
    tell(spool, LOST, 2)
    tell(spool, FOUND)
    assert standing(spool) == [(exceeded, None, 2)]


def test_names_outlast_the_numbers_of_a_configuration(tmp_path: Path, clock: FakeClock) -> None:
    first = opened(tmp_path, clock)
    tell(first, LOST, 1, gid=2)
    tell(first, EventCode.LEAK_SUSPECTED, None, gid=1)
    kill(first)
    moved = {1: Group(1, METER.channels), 2: Group(2, AIR.channels)}
    again = opened(tmp_path, clock, groups=moved)
    assert (LOST, "meter", None) in standing(again)
    tell(again, FOUND, gid=1)
    assert standing(again) == [(EventCode.LEAK_SUSPECTED, "air", None)]


def test_a_refusing_disk_is_told_and_its_end_is_owed_by_whoever_comes_next(
    spool: Spool, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    feed(spool, clock, 6)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "commit", refuse)
        feed(spool, clock, 10)
    clock.advance(60_000)
    spool.step()  # commits that it was degraded; that it is well waits in memory
    degraded = (EventCode.SPOOL_DEGRADED, None, SpoolReason.DISK_FULL)
    assert standing(spool) == [degraded]
    again = after_a_crash(spool, clock)
    assert standing(again) == [degraded]
    feed(again, clock, 10)
    assert standing(again) == []
    assert again.degraded == ""


def test_the_oldest_goes_where_there_are_too_many() -> None:
    schema, birth = describe(NODE, GROUPS)
    births = Births({schema: birth})
    unended = Unended()
    rows = [
        event_to_row(n, None, Event(EventCode.LIMIT_EXCEEDED, value=n)) for n in range(MOST + 1)
    ]
    unended.take(1, schema, rows, births)
    assert [one.value for one in unended.standing()] == list(range(1, MOST + 1))
    assert Unended.load(unended.dump()).standing() == unended.standing()


@pytest.mark.parametrize("data", [b"", b"\xf6", b"\x81\x01", b"\x81\x85\x03\x01\xf6\x01\x01"])
def test_what_is_not_readable_is_said_to_be(data: bytes) -> None:
    with pytest.raises(SpoolError, match="not ended"):
        Unended.load(data)
