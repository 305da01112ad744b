"""Sums of traffic, held against the whole list of vehicles that they never keep."""

from __future__ import annotations

import itertools
import math
import statistics
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.reading import Quality
from edgenode.traffic import (
    BINS_EACH,
    DIRECTIONS,
    FASTEST,
    LIMITS_M,
    Flow,
    Mean,
    Road,
    Speeds,
    road_channels,
    told,
    withheld,
)

SPEEDS = st.floats(0, FASTEST)
VEHICLES = st.lists(
    st.tuples(st.integers(0, 60_000), SPEEDS, st.floats(0.5, 25)), min_size=1, max_size=60
)


def nearest_rank(values: list[float], percent: int) -> float:
    """Return the percentile by its definition: of the whole list, sorted."""
    return sorted(values)[math.ceil(percent * len(values) / 100) - 1]


@given(values=st.lists(SPEEDS, min_size=1, max_size=200), percent=st.integers(1, 100))
def test_a_percentile_is_off_by_half_a_bin_at_most(values: list[float], percent: int) -> None:
    speeds = Speeds()
    for value in values:
        speeds.add(value)
    known = nearest_rank(values, percent)
    assert speeds.percentile(percent) == pytest.approx(known, abs=0.5 / BINS_EACH + 1e-9)
    assert speeds.value == pytest.approx(statistics.fmean(values))


@given(values=st.lists(st.integers(0, int(FASTEST)), min_size=1, max_size=200))
def test_a_percentile_of_whole_speeds_is_exact(values: list[int]) -> None:
    speeds = Speeds()
    for value in values:
        speeds.add(value)
    assert speeds.percentile(85) == nearest_rank([float(value) for value in values], 85)


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_a_mean_is_that_of_the_list(values: list[float]) -> None:
    mean = Mean()
    for value in values:
        mean.add(value)
    assert mean.value == pytest.approx(statistics.fmean(values), abs=1e-6)


@given(rows=st.lists(VEHICLES, min_size=1, max_size=5))
def test_each_interval_is_summed_by_itself_and_headways_go_on(rows: list[Any]) -> None:
    flow, before_ms = Flow(), None
    for n, row in enumerate(rows):
        vehicles = sorted((n * 60_000 + at_ms, speed, length) for at_ms, speed, length in row)
        for vehicle in vehicles:
            flow.passed(*vehicle)
        times = [at_ms for at_ms, *_ in vehicles]
        times = times if before_ms is None else [before_ms, *times]
        headways = [b - a for a, b in itertools.pairwise(times)]
        known = statistics.fmean(headways) / 1000 if headways else None
        assert flow.vehicles == len(vehicles)
        assert flow.headway == (known if known is None else pytest.approx(known))
        lengths = [length for *_, length in vehicles]
        assert flow.lengths[0] == pytest.approx(statistics.fmean(lengths))
        low, high = LIMITS_M
        classes = [length < low for length in lengths], [length >= high for length in lengths]
        assert flow.lengths[1] == sum(classes[0])
        assert flow.lengths[3] == sum(classes[1])
        assert sum(flow.lengths[1:]) == len(vehicles)  # type: ignore[arg-type]
        before_ms = times[-1]
        flow.renew()


def test_where_nobody_came_there_is_no_mean_and_no_percentile() -> None:
    flow = Flow()
    assert (flow.vehicles, flow.headway, flow.speeds) == (0, None, (None, None))
    assert flow.lengths == (None, 0, 0, 0)


def test_a_vehicle_that_is_told_late_does_not_turn_headways_back() -> None:
    flow = Flow()
    for at_ms in (1000, 5000, 4000):
        flow.passed(at_ms)
    assert flow.headway == 2.0


def test_none_at_all_is_no_secret_and_few_are() -> None:
    assert [withheld(n, 3) for n in range(5)] == [False, True, True, False, False]
    assert not any(withheld(n, 0) for n in range(5))
    hidden = told((2, None), hidden=True)
    assert hidden.values == (None, None)
    assert set(hidden.quality) == {Quality.SUPPRESSED_PRIVACY}


@given(
    intervals=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20),
    suppress_below=st.integers(0, 6),
)
def test_what_is_held_back_is_told_later_and_nothing_is_lost_or_told_of_few(
    intervals: list[tuple[int, int]], suppress_below: int
) -> None:
    road = Road(suppress_below, slowest_kmh=0)
    road.sample()
    width = len(road_channels()) // 2
    came, seen = [0, 0], [0, 0]
    for n, counts in enumerate([*intervals, (9, 9)]):
        for place, count in enumerate(counts):
            for _ in range(count):
                road.passed(DIRECTIONS[place], n * 1000, 50)
            came[place] += count
        sample = road.sample()
        for place in range(2):
            vehicles = sample.values[place * width]
            quality = sample.quality[place * width : (place + 1) * width]
            if vehicles is None:
                assert set(quality) == {Quality.SUPPRESSED_PRIVACY}
                assert sample.values[place * width : (place + 1) * width] == (None,) * width
            else:
                assert vehicles == 0 or vehicles >= suppress_below
                seen[place] += int(vehicles)
                assert seen[place] == came[place]
    assert seen == came


def test_the_first_sample_of_a_road_has_no_time_behind_it() -> None:
    road = Road(0, slowest_kmh=0)
    road.passed("toward", 100, 50)
    sample = road.sample()
    assert set(sample.values) == {None}
    assert set(sample.quality) == {Quality.MISSING}
    assert road.sample().values[0] == 0


def test_speeds_are_those_along_the_road_and_what_cannot_be_on_it_is_no_vehicle() -> None:
    road = Road(0, slowest_kmh=5, angle_deg=60)
    road.sample()
    for speed in (2.4, 25.0, 150.1, 400.0):  # along the beam; the road has twice as much
        road.passed("away", 100, speed)
    _, _, _, _, vehicles, mean, percentile, _ = road.sample().values
    assert vehicles == 1
    assert mean == pytest.approx(50)
    assert percentile == 50


def test_memory_does_not_grow_with_traffic() -> None:
    road = Road(1000, slowest_kmh=0, lengths=True)
    road.sample()
    tracemalloc.start()
    for n in range(20_000):
        road.passed(DIRECTIONS[n % 2], n, n % 300, 4.0)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 4096
