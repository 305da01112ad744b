"""A loop that tells traffic: gaps and stays of vehicles, and how few of them are held back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.loop import Loop, LoopOptions
from edgenode.reading import Quality
from tests.support.fake_line import FakeLine


@pytest.fixture
def line() -> FakeLine:
    return FakeLine()


def test_gaps_are_from_rear_to_front_and_stays_from_front_to_rear(line: FakeLine) -> None:
    loop = Loop(line, LoopOptions(line=17, traffic=True))
    assert [channel.name for channel in loop.measures()][4:] == ["vehicles", "gap", "on_time"]
    loop.read(0)
    for at_ms in (1000, 1200, 3000, 3600, 4000):
        line.edge(at_ms)
    *_, came, gap, on_time = loop.read(5000).values
    assert came == 3
    assert gap == pytest.approx((1.8 + 0.4) / 2)
    assert on_time == pytest.approx((0.2 + 0.6) / 2), "the third is still there"


def test_of_edges_that_were_not_kept_there_is_no_gap(line: FakeLine) -> None:
    loop = Loop(line, LoopOptions(line=17, traffic=True))
    loop.read(0)
    line.queue = 1
    for at_ms in (100, 200, 8000):
        line.edge(at_ms)
    sample = loop.read(10_000)
    assert sample.values[4:] == (2, None, None)
    assert sample.quality[4:] == (Quality.OK, Quality.MISSING, Quality.MISSING)


@given(
    intervals=st.lists(st.integers(0, 4), max_size=30),
    suppress_below=st.integers(1, 5),
)
def test_few_vehicles_are_held_back_and_the_total_with_them(
    intervals: list[int], suppress_below: int
) -> None:
    line = FakeLine(queue=64)
    loop = Loop(line, LoopOptions(line=17, traffic=True, suppress_below=suppress_below))
    loop.read(0)
    told = came = 0
    for n, many in enumerate([*intervals, 5], 1):
        for k in range(2 * many):
            line.edge(10_000 * n + 100 * k)
        came += many
        total, occupancy, _, _, passed, *_ = loop.read(10_000 * n + 5_000).values
        assert loop.counts() == {"count": total}
        if passed is None:
            assert (total, occupancy) == (told, None)
            continue
        assert passed == 0 or passed >= suppress_below
        assert total == came == told + passed
        told = came
    assert told == came
