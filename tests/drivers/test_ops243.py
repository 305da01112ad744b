"""The OPS243 radar: what it is asked, what it says on an empty road, and who answers instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import ops243
from drivers.ops243 import OPS243, OPS243Options, report, units
from edgenode.errors import BadFrame, BusTimeout
from edgenode.reading import Quality
from tests.drivers.known_ops243 import RECORDED, Radar, heard, opened, told
from tests.support.fake_serial import FakeSerial


def test_it_is_asked_for_its_unit_and_set_to_nothing() -> None:
    port = Radar()
    sensor = opened(ops243, port)
    sensor.read(10_000)
    assert set(port.written) == {b"U?"}


def test_an_empty_road_is_no_fault_as_long_as_it_answers() -> None:
    sensor = opened(ops243, Radar())
    sample = sensor.read(900_000)
    assert (sample.values[0], sample.values[4]) == (0, 0)
    assert sample.quality[:2] == (Quality.OK, Quality.MISSING)


def test_a_radar_that_stops_answering_is_lost_with_the_next_sample() -> None:
    port = Radar()
    sensor = opened(ops243, port)
    port.unit = "\n"  # its answer is an answer no more
    with pytest.raises(BadFrame, match="no answer; check the baud rate"):
        sensor.read(10_000)
    mute = FakeSerial()
    with pytest.raises(BusTimeout, match="check its supply"):
        OPS243(mute, OPS243Options(), clock=mute.clock)


def test_what_it_says_while_it_is_asked_counts() -> None:
    port = Radar()
    sensor = opened(ops243, port, suppress_below=0)
    port.say(b"50.0\r\n50.0\r\n")
    assert sensor.read(10_000).values[0] == 0, "they may not be past yet"
    assert sensor.read(20_000).values[0] == 1


def test_lengths_are_told_where_they_are_asked_for() -> None:
    port = Radar()
    sensor = opened(ops243, port, lengths=True, suppress_below=0)
    heard(sensor, port, (1000, RECORDED.decode()))
    names = [channel.name for channel in sensor.measures()]
    told_of = dict(zip(names, sensor.read(10_000).values, strict=True))
    assert told_of["length_away"] == pytest.approx(9.86)
    assert [told_of[f"{kind}_away"] for kind in ("short", "medium", "long")] == [0, 1, 0]
    assert told_of["length_toward"] is None


@pytest.mark.parametrize(("unit", "mean"), [("mph", 80.47), ("km-per-hr", 50.0)])
def test_a_unit_that_was_changed_is_noticed_with_the_next_sample(unit: str, mean: float) -> None:
    port = Radar()
    port.unit = unit
    sensor = opened(ops243, port, suppress_below=0)
    heard(sensor, port, (1000, "50.0"), (1100, "50.0"))
    assert told(sensor.read(10_000))[1] == mean


def test_a_scan_hears_its_name_or_its_speeds() -> None:
    name = OPS243.recognise(b'x\r\n{"Product":"OPS243 Doppler"}\r\n')
    speed = OPS243.recognise(b'x\r\n{"unit":"mps","speed":-5.34}\r\n')
    assert name is not None
    assert name.words == "OPS243 Doppler radar"
    assert speed is not None
    assert OPS243.recognise(b'x\r\n3.4\r\n{"Product":"OPS999"}\r\n') is None


@given(line=st.binary(max_size=80))
def test_any_line_is_read_or_refused(line: bytes) -> None:
    said = report(line, 1.0)
    assert said is None or said.speed >= 0
    assert units(line) is None
