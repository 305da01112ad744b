"""Under maintenance nothing is an alarm; stamps out of order are sealed as they came."""

from __future__ import annotations

from pathlib import Path

from edgenode.reading import Event, EventCode, Quality
from tests.support.clock import FakeClock
from tests.support.spools import account, drained, feed, opened, unpacked


def test_an_alarm_under_maintenance_wakes_nobody_and_waits_its_turn(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = opened(tmp_path, clock)
    spool.outbox.begin_session()
    feed(spool, clock, 12)
    spool._wake.clear()
    event = Event(EventCode.SENSOR_LOST, value=1, quality=Quality.MAINTENANCE)
    spool.event(clock.boot_ms(), 1, event)
    assert not spool._wake.is_set()
    assert not spool._window.alarmed
    feed(spool, clock, 11)
    (sealed,) = drained(spool.outbox, live=True)
    assert not sealed.alarm
    (batch,) = unpacked(spool.outbox, [sealed])
    assert [(e.code, e.quality) for e in batch.events] == [(3, Quality.MAINTENANCE)]


def test_the_same_alarm_without_maintenance_is_sealed_at_once(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = opened(tmp_path, clock)
    spool.outbox.begin_session()
    feed(spool, clock, 12)
    spool._wake.clear()
    spool.event(clock.boot_ms(), 1, Event(EventCode.SENSOR_LOST, value=1))
    assert spool._wake.is_set()
    spool.step()
    (sealed,) = drained(spool.outbox, live=True)
    assert sealed.alarm


def test_events_keep_their_own_stamps_also_older_than_those_before_them(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = opened(tmp_path, clock)
    feed(spool, clock, 20)
    now = clock.boot_ms()
    stamps = [now, now - 15_000, now - 1_000, now - 29_000]
    for stamp in stamps:
        spool.event(now, 1, Event(EventCode.STATE_CHANGED, 0, 1, t_ms=stamp))
    told = [event for batch in account(spool).batches for event in batch.events]
    assert [event.t for event in told] == stamps


def test_samples_out_of_order_are_sealed_in_the_order_of_time(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = opened(tmp_path, clock)
    feed(spool, clock, 5)
    clock.boot -= 3_500  # a frame that was taken a while ago is appended late
    feed(spool, clock, 5)
    assert not account(spool).unaccounted()
    assert sum(account(spool).samples.values()) == 10
