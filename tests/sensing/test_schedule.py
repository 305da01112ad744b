"""Slots lie on a grid of boot-time; the past is skipped and counted, never caught up with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.sensing.lateness import RECENT, Lateness
from edgenode.sensing.schedule import Schedule, stagger, stamp


def test_a_sensor_is_read_at_once_and_then_on_the_grid() -> None:
    for start in (10_250, 10_251, 11_249):
        schedule = Schedule(1000, 250, start)
        assert schedule.take(start) == 10_250
        assert schedule.due_ms == 11_250
        assert schedule.missed == 0


def test_slots_that_passed_are_skipped_and_counted() -> None:
    schedule = Schedule(1000, 0, 10_000)
    assert schedule.take(10_003) == 10_000
    assert schedule.take(14_500) == 14_000
    assert schedule.missed == 3
    assert schedule.due_ms == 15_000


@given(
    every=st.integers(1, 100_000),
    phase=st.integers(0, 100_000),
    start=st.integers(0, 10**9),
    naps=st.lists(st.integers(0, 10**6), max_size=20),
)
def test_slots_only_move_forward_and_never_into_the_future(
    every: int, phase: int, start: int, naps: list[int]
) -> None:
    schedule = Schedule(every, phase, start)
    now, last, served = start, start - every - 1, 0
    for nap in naps:
        now = max(now + nap, schedule.due_ms)
        slot = schedule.take(now)
        served += 1
        assert last < slot <= now < schedule.due_ms
        assert (slot - phase) % every == 0
        last = slot
    if served:
        first = start - (start - phase) % every
        assert served + schedule.missed == (last - first) // every + 1


def test_a_period_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 ms"):
        Schedule(0, 0, 0)


def test_a_stamp_is_the_slot_only_when_the_read_was_near_it() -> None:
    assert stamp(10_050, 10_000, 50) == 10_000
    assert stamp(10_051, 10_000, 50) == 10_051


def test_the_sensors_of_a_bus_do_not_start_together() -> None:
    assert stagger([1000, 1000, 1000, 1000]) == [0, 250, 500, 750]
    assert stagger([60_000, 1000]) == [0, 500]
    assert stagger([]) == []


def test_lateness_tells_its_quantiles() -> None:
    lateness = Lateness()
    for ms in range(100):
        lateness.note(ms)
    assert lateness.quantile(0.5) == 49
    assert lateness.quantile(0.99) == 98
    assert Lateness().quantile(0.99) == 0


def test_lateness_stays_bounded_and_forgets_the_distant_past() -> None:
    lateness = Lateness()
    lateness.note(10**9)
    for _ in range(RECENT):
        lateness.note(2)
    assert sum(lateness.counts()) <= RECENT
    assert lateness.quantile(0.9999) == 2
