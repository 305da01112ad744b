"""The lidar: what it takes for a vehicle, bad light, and cables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import tfluna
from drivers.tfluna import LidarOptions, Presence, TFLuna, TFmini
from edgenode.errors import BadFrame, BusTimeout, ImpossibleValue
from edgenode.reading import Quality
from tests.drivers.known_tfluna import frame, opened, watch
from tests.support.fake_serial import FakeSerial

ROAD, CAR = (600, 1000), (450, 1000)


def test_the_first_sample_has_no_time_behind_it() -> None:
    port = FakeSerial(frame(600))
    sensor = TFLuna(port, LidarOptions(nearer_cm=500), clock=port.clock)
    sample = sensor.read(0)
    assert sample.values == (None, None, None, None, 26.0)
    assert sample.quality == (*(Quality.MISSING,) * 4, Quality.OK)


def test_what_stands_there_occupies_the_lane_and_does_not_count_again() -> None:
    port = FakeSerial(frame(600))
    sensor = opened(tfluna, port, suppress_below=0)
    now = watch(sensor, port, 0, (1000, *ROAD), (10_000, *CAR))
    assert sensor.read(now).values[0] == 1
    now = watch(sensor, port, now, (10_000, *CAR))
    vehicles, occupancy, *_ = sensor.read(now).values
    assert (vehicles, occupancy) == (0, 100)


@given(wobble=st.lists(st.integers(501, 519), min_size=10, max_size=60))
def test_within_the_hysteresis_nothing_changes(wobble: list[int]) -> None:
    presence = Presence(LidarOptions(nearer_cm=500, shortest_ms=0, merge_ms=0))
    for n, distance in enumerate(wobble):
        assert presence.seen(distance, n * 10) is None
    assert presence.seen(499, 5000)
    for n, distance in enumerate(wobble):
        assert presence.seen(distance, 6000 + n * 10) is None
    assert presence.present


def test_a_lens_that_sees_nothing_is_a_fault_that_says_what_to_do() -> None:
    port = FakeSerial(frame(600, strength=20))
    sensor = opened_blind(port)
    watch(sensor, port, 0, (1000, 600, 20))
    with pytest.raises(ImpossibleValue, match='clean it and check its aim, or set no_echo = "clea'):
        sensor.read(1000)


def test_a_strength_that_is_glare_to_a_tfluna_is_a_bright_target_to_a_tfmini() -> None:
    port = FakeSerial(frame(600, strength=40_000))
    sensor = TFmini(port, LidarOptions(nearer_cm=500), clock=port.clock)
    watch(sensor, port, 0, (1000, 600, 40_000))
    sensor.read(1000)
    watch(sensor, port, 1000, (1000, 600, 40_000))
    sample = sensor.read(2000)
    assert sample.values[:2] == (0, 0)
    assert sample.quality[:2] == (Quality.OK, Quality.OK)


def opened_blind(port: FakeSerial) -> TFLuna:
    return TFLuna(port, LidarOptions(nearer_cm=500), clock=port.clock)


def test_a_cable_that_is_out_is_a_timeout_and_noise_a_bad_frame() -> None:
    port = FakeSerial(frame(600))
    sensor = opened(tfluna, port)
    with pytest.raises(BusTimeout, match="silent for 2 s"):
        sensor.read(2000)
    port = FakeSerial(frame(600))
    sensor = opened(tfluna, port)
    port.say(b"\x59\x59noise")
    sensor.feed(500)
    with pytest.raises(BadFrame, match="7 bytes and no whole frame"):
        sensor.read(1500)


def test_an_interval_without_a_frame_has_nothing_to_tell() -> None:
    port = FakeSerial(frame(600))
    sensor = opened(tfluna, port)
    with pytest.raises(BadFrame, match="no frame since the last sample"):
        sensor.read(500)


def test_a_tfmini_tells_no_temperature_and_both_a_height_where_they_look_down() -> None:
    plain, above = LidarOptions(nearer_cm=500), LidarOptions(nearer_cm=500, mount_cm=600)
    names = [channel.name for channel in TFLuna.declare(above)]
    assert names == ["vehicles", "occupancy", "headway", "gap", "height", "temperature"]
    assert [channel.name for channel in TFmini.declare(plain)] == names[:4]
    assert [channel.name for channel in TFmini.declare(above)] == names[:5]


def test_a_scan_suggests_a_distance_below_the_road() -> None:
    found = TFLuna.recognise(frame(600)[4:] + 50 * frame(600) + 20 * frame(300))
    assert found is not None
    assert found.options == {"nearer_cm": 450}
    assert TFLuna.recognise(frame(600) + bytes(200)) is None
