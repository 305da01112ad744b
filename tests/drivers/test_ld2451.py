"""The LD2451 radar: each vehicle once, and an empty road apart from a dead radar."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import ld2451
from drivers.ld2451 import LD2451, LD2451Options, Target, Tracker
from edgenode.errors import BusTimeout
from edgenode.traffic import Road
from tests.drivers.known_ld2451 import EMPTY, ENABLE, Radar, opened, report, told
from tests.support.fake_serial import FakeSerial


def road() -> Road:
    made = Road(0, slowest_kmh=0)
    made.sample()
    return made


@settings(max_examples=40)
@given(
    cars=st.lists(
        st.tuples(st.integers(20, 140), st.booleans(), st.floats(-0.4, 0.4)), min_size=1, max_size=5
    ),
    dropped=st.sets(st.integers(0, 400), max_size=40),
)
def test_each_vehicle_counts_once_whatever_reports_are_lost(
    cars: list[tuple[int, bool, float]], dropped: set[int]
) -> None:
    """Cars come one after another, and no two reports in a row are lost."""
    lane, at_ms = road(), 0
    tracker = Tracker(lane, 20)
    for speed, comes, noise in cars:
        for n in range(90 * 36 // speed):
            run_m = speed / 36 * n
            m = round((90 - run_m if comes else 3 + run_m) + noise * (n % 3))
            seen = [Target(m, 0, "toward" if comes else "away", speed)] if 3 <= m <= 90 else []
            lost = n in dropped and n - 1 not in dropped
            tracker.take([] if lost else seen, at_ms + 100 * n)
        at_ms += 90 * 3600 // speed + 1000
    values = lane.sample().values
    nearer = sum(comes for _, comes, _ in cars)
    assert (values[0], values[4]) == (nearer, len(cars) - nearer)


def test_a_vehicle_that_waits_before_the_line_counts_when_it_drives_on() -> None:
    lane = road()
    tracker = Tracker(lane, 20)
    for n, m in enumerate((30, 28, 26, 25)):
        tracker.take([Target(m, 0, "toward", 20)], n * 100)
    for n, m in enumerate((25, 24, 22, 20, 18)):  # a minute later; what stands is not seen
        tracker.take([Target(m, 0, "toward", 20)], 60_000 + n * 100)
    assert lane.sample().values[0] == 1


def test_tracks_are_bounded() -> None:
    tracker = Tracker(road(), 20)
    for n in range(1000):
        tracker.take([Target((n * 37) % 200, 0, "away", 0)], n)
    assert len(tracker._tracks) <= Tracker.TRACKS_MOST


def test_a_radar_that_reports_is_never_asked() -> None:
    port = FakeSerial(report((50, 0, True, 40)), pause_s=0.1)
    sensor = opened(ld2451, port)
    asked = len(port.written)
    port.say(EMPTY)
    sensor.read(10_000)
    assert len(port.written) == asked


def test_a_radar_that_says_nothing_is_asked_and_lost_if_it_does_not_answer() -> None:
    port = Radar()
    sensor = opened(ld2451, port)
    assert told(sensor.read(10_000))[0] == 0
    assert port.written.count(ENABLE) == 2
    port.written.clear()
    deaf = FakeSerial()
    with pytest.raises(BusTimeout, match="on an empty road some only answer when asked"):
        LD2451(deaf, LD2451Options(), clock=deaf.clock)


def test_vehicles_are_measured_where_the_installer_says() -> None:
    port = Radar()
    sensor = opened(ld2451, port, line_m=50, suppress_below=0)
    for n, m in enumerate((54, 52, 50, 48)):
        port.say(report((m, 0, True, 72)))
        sensor.feed(n * 100)
    assert sensor.read(10_000).values[0] == 1
