"""The running spool: when it commits and seals, what it does without room, how it stops."""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from edgenode.clock import SystemClock
from edgenode.errors import SpoolError
from edgenode.reading import Event, EventCode, Quality, Sample, Stream
from edgenode.spool import Spool, SpoolOptions
from edgenode.wire import Flag, Rows, WireEvent
from tests.support.clock import FakeClock
from tests.support.spools import GROUPS, NODE, air, drained, feed, opened, unpacked


@pytest.fixture
def spool(tmp_path: Path, clock: FakeClock) -> Spool:
    spool = opened(tmp_path, clock)
    spool.outbox.begin_session()
    spool.step()
    return spool


def live(spool: Spool) -> list[Any]:
    return unpacked(spool.outbox, drained(spool.outbox, live=True))


def one_group(spool: Spool, clock: FakeClock) -> Rows:
    clock.advance(10_000)
    spool.step()
    clock.advance(60_000)
    spool.step()
    (group,) = next(batch for batch in live(spool) if batch.stream == 0).groups
    assert isinstance(group, Rows)
    return group


def test_the_first_rows_are_committed_at_once_and_later_ones_by_the_interval(
    spool: Spool, clock: FakeClock
) -> None:
    commits = spool.stats().commits
    clock.advance(100)
    spool.append(1, clock.boot_ms(), air(1))
    spool.step()
    assert spool.stats().commits == commits + 1
    spool.append(1, clock.boot_ms(), air(2))
    assert spool.step() <= clock.boot_ms() + 5_000
    assert spool.stats().commits == commits + 1
    clock.advance(5_000)
    spool.step()
    assert spool.stats().commits == commits + 2


def test_nothing_is_written_when_there_is_nothing_to_say(spool: Spool, clock: FakeClock) -> None:
    commits = spool.stats().commits
    for _ in range(10):
        clock.advance(5_000)
        spool.step()
    assert spool.stats().commits == commits


def test_windows_are_a_minute_online_and_ten_offline(spool: Spool, clock: FakeClock) -> None:
    feed(spool, clock, 130)
    assert [len(batch.groups[0].times) for batch in live(spool) if batch.stream == 0][1:] == [60]
    spool.outbox.end_session()
    feed(spool, clock, 500)
    seals = spool.stats().seals
    feed(spool, clock, 130)
    assert spool.stats().seals == seals + 1


def test_offline_a_window_also_ends_at_window_rows(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock, window_rows=50)
    feed(spool, clock, 60)
    assert spool.stats().seals == 1


def test_alarms_are_committed_and_sealed_at_once_and_coalesced_for_five_seconds(
    spool: Spool, clock: FakeClock
) -> None:
    spool.event(clock.boot_ms(), 1, Event(EventCode.SENSOR_LOST, value=1))
    spool.step()
    assert [len(batch.events) for batch in live(spool)] == [1]
    for _ in range(3):
        clock.advance(1_000)
        spool.event(clock.boot_ms(), 1, Event(EventCode.TAMPER))
        assert spool.step() <= clock.boot_ms() + 5_000
        assert live(spool) == []
    clock.advance(2_000)
    spool.step()
    assert [len(batch.events) for batch in live(spool)] == [3]


def test_state_changes_are_sealed_every_ten_seconds_or_by_two_hundred(
    spool: Spool, clock: FakeClock
) -> None:
    clock.advance(6_000)
    spool.event(clock.boot_ms(), 1, Event(EventCode.STATE_CHANGED, 0, 1))
    spool.step()
    assert live(spool) == []
    clock.advance(5_000)
    spool.step()
    assert [batch.stream for batch in live(spool)] == [Stream.EVENTS]
    for n in range(200):
        spool.event(clock.boot_ms(), 1, Event(EventCode.STATE_CHANGED, 0, n))
    clock.advance(5_000)
    spool.step()
    clock.advance(1_000)
    spool.step()
    assert [len(batch.events) for batch in live(spool)] == [200]


def test_values_are_quantised_once_and_what_cannot_travel_is_a_fault(
    spool: Spool, clock: FakeClock
) -> None:
    values = [(None, 1.0), (20.004, 2.25), (math.nan, 3.0), (1e18, math.inf), (21.006, None)]
    for value in values:
        spool.append(1, clock.boot_ms(), Sample(value))
        clock.advance(1_000)
    group = one_group(spool, clock)
    assert [list(column or ()) for column in group.columns] == [
        [2000, 2000, 2000, 2000, 2101],
        [10, 22, 30, 30, 30],
    ]
    assert set(group.flags) == {
        Flag(0, 0, 1, Quality.MISSING),
        Flag(0, 2, 1, Quality.FAULT),
        Flag(255, 3, 1, Quality.FAULT),
        Flag(1, 4, 1, Quality.MISSING),
    }


def test_a_failed_read_is_one_flag_for_the_whole_row(spool: Spool, clock: FakeClock) -> None:
    spool.append(1, clock.boot_ms(), air(1))
    spool.append(1, clock.boot_ms() + 1, Sample((None, None), (Quality.FAULT, Quality.FAULT)))
    assert one_group(spool, clock).flags == (Flag(255, 1, 1, Quality.FAULT),)


def test_a_counter_wraps_at_its_modulus(spool: Spool, clock: FakeClock) -> None:
    spool.append(2, clock.boot_ms(), Sample((1_000_003,)))
    assert list(one_group(spool, clock).columns[0] or ()) == [3]


def test_events_of_a_sample_carry_its_group_and_what_cannot_travel_becomes_null(
    spool: Spool, clock: FakeClock
) -> None:
    t = clock.boot_ms()
    spool.append(1, t, Sample((1.0, 1.0), (), (Event(EventCode.LIMIT_EXCEEDED, 1, math.nan),)))
    spool.event(t, None, Event(EventCode.SUPPLY_LOW, value=(1, 2)))
    spool.step()
    told = [event for batch in live(spool) for event in batch.events]
    assert WireEvent(t, 257, 7, None, Quality.FAULT) in told
    assert WireEvent(t, None, 20, (1, 2), 0) in told


def test_a_sample_that_does_not_fit_its_group_is_refused(spool: Spool) -> None:
    with pytest.raises(SpoolError, match="2 channels"):
        spool.append(1, 0, Sample((1.0,)))
    with pytest.raises(SpoolError, match="group 9"):
        spool.append(9, 0, air(1))


def test_a_stepped_wall_clock_is_an_event_and_an_anchor(spool: Spool, clock: FakeClock) -> None:
    feed(spool, clock, 10)
    clock.step(3_600_000)
    feed(spool, clock, 70)
    told = live(spool)
    assert (EventCode.CLOCK_STEPPED, 3_600_000) in [
        (e.code, e.value) for b in told for e in b.events
    ]
    assert len(told[-1].anchors) == 2


def test_a_closed_spool_has_sealed_everything_and_takes_nothing_more(
    spool: Spool, clock: FakeClock
) -> None:
    feed(spool, clock, 7)
    spool.close()
    spool.close()
    with pytest.raises(SpoolError, match="closed"):
        spool.append(1, 0, air(1))
    again = opened(spool.options.directory, clock)
    again.step()
    assert again.stats().window_readings == 0
    assert again.stats().held_batches == 1


def test_the_thread_commits_alarms_at_once_and_ends_when_told(tmp_path: Path) -> None:
    spool = Spool.open(
        SpoolOptions(tmp_path, cap_bytes=1 << 20, pregrow=False), NODE, GROUPS, SystemClock()
    )
    stop = threading.Event()
    thread = threading.Thread(target=spool.run, args=(stop,), name="spool")
    thread.start()
    spool.outbox.begin_session()
    spool.event(5, None, Event(EventCode.TAMPER))
    deadline = time.monotonic() + 10
    while not (taken := spool.outbox.take(True, 5)) and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    spool.wake()
    thread.join(10)
    assert not thread.is_alive()
    assert [one.alarm for one in taken] == [True]
    spool.close()


def test_options_that_cannot_work_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="cap"):
        SpoolOptions(tmp_path, cap_bytes=1000)
    with pytest.raises(SpoolError, match="greater than 0"):
        SpoolOptions(tmp_path, window_ms=0)
