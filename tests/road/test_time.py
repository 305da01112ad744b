"""Every row's true time lies within its stated error, whatever the node's clock went through."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from edgenode.reading import ClockSource
from tests.support.road import Road, World

YEAR_MS = 365 * 86_400_000


def timed(road: Road) -> Counter[int]:
    """Check every row against what really happened; count the rows by who vouches for them."""
    rows = road.rows()
    seen = Counter((row.channel, row.value) for row in rows)
    assert set(seen) == set(road.truth), "a reading is missing, or nobody ever took it"
    assert set(seen.values()) == {1}, "a reading stands twice"
    for row in rows:
        true = road.truth[row.channel, int(row.value or 0)]
        if row.earliest is not None:
            assert row.earliest <= true, f"{row} happened at {true}"
        if row.latest is not None:
            assert true <= row.latest, f"{row} happened at {true}"
        if row.utc is not None:
            assert row.err is not None
            assert abs(row.utc - true) <= row.err, f"{row} happened at {true}"
    return Counter(row.clock for row in rows)


@pytest.fixture(params=[-50, 0, 50])
def road(request: pytest.FixtureRequest, tmp_path: Path) -> Road:
    world = World(ppm=request.param)
    world.reboot()
    return Road(tmp_path, world)


def test_readings_before_the_first_ntp_answer_are_timed_later(road: Road) -> None:
    road.sample(300)
    road.exchange()
    assert all(row.clock == ClockSource.NONE for row in road.rows())
    road.world.ntp(error_ms=15)
    road.sample(900)
    road.stop()
    road.start()
    road.exchange()
    assert set(timed(road)) == {ClockSource.NTP}


def test_two_boots_without_a_clock_in_one_outage_get_bounds_between_their_neighbours(
    road: Road,
) -> None:
    road.world.ntp()
    road.sample(120)
    for _ in range(2):
        road.power_cut(off_ms=3_600_000)
        road.sample(120)
    road.power_cut(off_ms=600_000)
    road.world.ntp(error_ms=-10)
    road.sample(120)
    road.stop()
    road.start()
    road.exchange()
    by_clock = timed(road)
    assert by_clock[ClockSource.NTP] == 2 * 240
    assert by_clock[ClockSource.NONE] == 2 * 240
    for row in road.rows():
        assert row.earliest is not None
        assert row.latest is not None


@pytest.mark.parametrize("step_ms", [YEAR_MS, -YEAR_MS])
def test_a_wall_clock_a_year_wrong_moves_no_reading(road: Road, step_ms: int) -> None:
    road.world.ntp()
    road.sample(120)
    road.world.step(step_ms)
    road.world.source = ClockSource.NONE  # settimeofday(2) ends the discipline of NTP
    road.sample(120)
    road.world.ntp(error_ms=12)
    road.sample(700)
    road.stop()
    road.start()
    road.exchange()
    assert set(timed(road)) == {ClockSource.NTP}
    monos = [row.mono for row in road.rows() if row.channel == "air/serial"]
    assert monos == sorted(monos)


def test_a_clock_that_ntp_steps_by_a_year_is_two_stories_and_each_row_keeps_its_own(
    road: Road,
) -> None:
    road.world.source = ClockSource.MANUAL  # an operator vouched for a clock that is right
    road.world.offset = road.world.true - road.world.boot
    road.world.err_ms = 1_000
    road.sample(120)
    road.world.ntp()
    road.sample(120)
    road.stop()
    road.start()
    road.exchange()
    timed(road)
