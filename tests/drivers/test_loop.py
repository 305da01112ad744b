"""Vehicles over a loop: exact counts, occupancy and headway, and a detector that hangs."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.loop import Loop, LoopOptions, vehicles
from edgenode.driver import Counting, Talker
from edgenode.errors import BusError
from edgenode.reading import Quality
from tests.support.fake_line import FakeLine

OK, ESTIMATED, MISSING, STUCK = (
    Quality.OK,
    Quality.ESTIMATED,
    Quality.MISSING,
    Quality.STUCK,
)


@pytest.fixture
def line() -> FakeLine:
    return FakeLine()


@pytest.fixture
def loop(line: FakeLine) -> Loop:
    return Loop(line, LoopOptions(line=17))


def test_vehicles_are_counted_as_they_come_not_as_they_go(line: FakeLine, loop: Loop) -> None:
    loop.read(0)
    for at_ms in (1000, 1500, 3000):
        line.edge(at_ms)
    assert loop.read(4000).values[0] == 2
    line.edge(4500)
    assert loop.read(5000).values[0] == 2


def test_occupancy_is_the_share_of_the_time_since_the_last_sample(
    line: FakeLine, loop: Loop
) -> None:
    loop.read(0)
    for at_ms in (1000, 1500, 3000):
        line.edge(at_ms)
    assert loop.read(4000).values[1] == pytest.approx(100 * (500 + 1000) / 4000)
    assert loop.read(6000).values[1] == pytest.approx(100)
    line.edge(6500)
    assert loop.read(8000).values[1] == pytest.approx(25)
    assert loop.read(9000).values[1] == 0


def test_the_first_sample_has_no_time_behind_it(line: FakeLine, loop: Loop) -> None:
    line.edge(500)
    sample = loop.read(1000)
    assert sample.values == (1, None, None, 0)
    assert sample.quality == (OK, MISSING, MISSING, OK)


def test_two_reads_at_the_same_moment_have_none_between_them(loop: Loop) -> None:
    loop.read(0)
    loop.read(1000)
    assert loop.read(1000).values[1] is None


def test_an_edge_just_after_the_clock_was_read_is_time_of_this_sample_not_of_two(
    line: FakeLine, loop: Loop
) -> None:
    loop.read(0)
    line.edge(500)
    line.edge(1002)
    assert loop.read(1000).values[1] == pytest.approx(100 * 502 / 1002)
    assert loop.read(2002).values[1] == 0


def test_headway_is_the_mean_gap_the_first_one_from_the_sample_before(
    line: FakeLine, loop: Loop
) -> None:
    loop.read(0)
    for at_ms in (1000, 1100, 3000, 3100):
        line.edge(at_ms)
    assert loop.read(4000).values[2] == pytest.approx(2)
    for at_ms in (8000, 8100, 9000, 9100):
        line.edge(at_ms)
    assert loop.read(10_000).values[2] == pytest.approx((9000 - 3000) / 2 / 1000)


def test_where_nobody_came_there_is_no_headway_and_no_fault(line: FakeLine, loop: Loop) -> None:
    loop.read(0)
    sample = loop.read(4000)
    assert sample.values == (0, 0, None, 0)
    assert sample.quality == (OK, OK, MISSING, OK)


def test_a_first_vehicle_has_no_gap_before_it_the_second_has(line: FakeLine, loop: Loop) -> None:
    loop.read(0)
    line.edge(1000)
    line.edge(1100)
    assert loop.read(2000).values[2] is None
    line.edge(61_000)
    assert loop.read(62_000).values[2] == pytest.approx(60)


def test_a_queue_that_overflowed_costs_no_vehicle(line: FakeLine, loop: Loop) -> None:
    loop.read(0)
    for n in range(101):
        line.edge(n * 100)
    sample = loop.read(10_100)
    assert sample.values[0] == 51
    assert sample.values[2] == pytest.approx(0.2)
    assert sample.values[3] == 101 - line.queue
    assert sample.quality == (OK, ESTIMATED, OK, OK)


def test_time_whose_edges_were_not_kept_counts_half(line: FakeLine, loop: Loop) -> None:
    loop.read(0)
    line.queue = 1
    for at_ms in (100, 200, 8000):
        line.edge(at_ms)
    assert loop.read(10_000).values[1] == pytest.approx(100 * (8000 / 2 + 2000) / 10_000)
    assert loop.read(11_000).quality == (OK, OK, MISSING, OK)


@pytest.mark.parametrize("high", [False, True])
def test_a_vehicle_that_stood_there_at_the_opening_is_not_a_new_one(*, high: bool) -> None:
    line = FakeLine()
    line.high = high
    loop = Loop(line, LoopOptions(line=17))
    loop.read(0)
    line.edge(1000)
    line.edge(2000)
    line.edge(2500)
    assert loop.read(4000).values[0] == (1 if high else 2)
    assert loop.read(4000).values[1] is None


def test_what_stands_there_at_the_opening_occupies_from_the_first_sample() -> None:
    line = FakeLine()
    line.high = True
    loop = Loop(line, LoopOptions(line=17))
    loop.read(0)
    assert loop.read(1000).values[1] == 100


def test_a_contact_to_ground_is_active_when_low() -> None:
    line = FakeLine()
    line.high = True
    loop = Loop(line, LoopOptions(line=17, active_low=True))
    loop.read(0)
    line.edge(1000)
    line.edge(1250)
    count, occupancy, *_ = loop.read(2000).values
    assert count == 1
    assert occupancy == pytest.approx(12.5)


def test_a_detector_that_hangs_is_stuck_until_it_lets_go(line: FakeLine) -> None:
    loop = Loop(line, LoopOptions(line=17, stuck_on_s=60))
    loop.read(0)
    line.edge(1000)
    assert loop.read(61_000).quality == (OK, OK, MISSING, OK)
    assert loop.read(61_001).quality == (STUCK, STUCK, MISSING, OK)
    line.edge(62_000)
    assert loop.read(63_000).quality == (OK, OK, MISSING, OK)


def test_a_detector_that_is_found_hanging_is_stuck_too() -> None:
    line = FakeLine()
    line.high = True
    loop = Loop(line, LoopOptions(line=17, stuck_on_s=60))
    loop.read(0)
    loop.read(60_000)
    assert loop.read(60_001).quality[0] is STUCK


def test_a_parking_bay_may_be_occupied_for_ever(line: FakeLine) -> None:
    loop = Loop(line, LoopOptions(line=17, stuck_on_s=0))
    loop.read(0)
    line.edge(1)
    assert loop.read(86_400_000).quality[0] is OK


@pytest.mark.parametrize("read_before", range(9))
@pytest.mark.parametrize("high", [False, True])
def test_a_line_that_was_handed_over_counts_every_vehicle_since_its_opening(
    read_before: int, *, high: bool
) -> None:
    street = FakeLine(queue=3)
    street.high = high
    for n in range(read_before):
        street.edge(n)
    heir = FakeLine(queue=3, seqno=street.seqno, inherited=500)
    heir.high = street.high
    loop = Loop(heir, LoopOptions(line=17))
    assert loop.resumed() == {"count": 500}
    assert loop.counts() == {"count": 0}
    for n in range(7):
        heir.edge(1000 + n)
    whole = range(read_before + 7)
    came = sum(1 for n in whole if (n % 2 == 0) != high)
    assert loop.read(2000).values[0] == came


def test_a_line_whose_count_wraps_is_kept_anew_in_vehicles() -> None:
    line = FakeLine(seqno=(1 << 32) - 2, inherited=5)
    loop = Loop(line, LoopOptions(line=17))
    for at_ms in range(2):
        line.edge(at_ms)
        loop.feed(0)
    assert line.kept == [5 + (1 << 31)]


def test_a_line_that_we_opened_resumes_nothing_and_is_kept_with_its_total(
    line: FakeLine, loop: Loop
) -> None:
    assert loop.resumed() == {}
    loop.keep({"count": 17})
    assert line.kept == [17]


def test_a_line_that_ends_is_a_bus_error(line: FakeLine, loop: Loop) -> None:
    line.gone = True
    with pytest.raises(BusError):
        loop.feed(0)
    with pytest.raises(BusError):
        Loop(line, LoopOptions(line=17))


def test_the_bus_thread_can_wait_on_it_and_ask_its_totals(line: FakeLine, loop: Loop) -> None:
    assert isinstance(loop, Talker)
    assert isinstance(loop, Counting)
    assert loop.fileno() == line.fileno()


@pytest.mark.parametrize(
    "wrong",
    [
        {"line": -1},
        {"line": 4, "edge": "rising"},
        {"line": 4, "stuck_on_s": -1},
        {"line": 4, "active_low": 1},
        {},
    ],
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, LoopOptions)


def test_it_is_watched_for_both_edges_whatever_is_written() -> None:
    assert msgspec.convert({"line": 4}, LoopOptions).edge == "both"


@given(
    gaps=st.lists(st.integers(1, 5_000), max_size=60),
    steps=st.lists(st.sampled_from(["feed", "read", "wait"]), min_size=60, max_size=60),
    high=st.booleans(),
)
def test_however_it_is_fed_and_read_nothing_is_counted_twice_or_lost(
    gaps: list[int], steps: list[str], *, high: bool
) -> None:
    line = FakeLine(queue=8)
    line.high = high
    loop = Loop(line, LoopOptions(line=17))
    loop.read(0)
    now_ms, came = 0, 0
    for gap, step in zip(gaps, steps, strict=False):
        now_ms += gap
        line.edge(now_ms)
        came += line.high
        if step == "feed":
            loop.feed(now_ms)
        if step == "read":
            count, occupancy, *_ = loop.read(now_ms).values
            assert count == came
            assert occupancy is None or 0 <= occupancy <= 100
    assert loop.read(now_ms + 1).values[0] == came
    assert loop.counts() == {"count": came}


@given(edges=st.integers(0, 1 << 33), active=st.booleans())
def test_a_count_never_falls_from_one_edge_to_the_next(edges: int, *, active: bool) -> None:
    assert vehicles(edges, active=active) <= vehicles(edges + 1, active=not active)
