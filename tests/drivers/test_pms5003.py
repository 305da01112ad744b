"""The PMS5003 driver against recorded frames: what they say, how it opens, and how old they are."""

from __future__ import annotations

import pytest

from drivers.pms5003 import PMS3003, PMS5003, PMS5003T, Plantower, PMS5003Options
from edgenode.errors import (
    BadFrame,
    BusError,
    BusTimeout,
    ImpossibleValue,
    WrongDevice,
)
from edgenode.reading import Quality
from tests.support.fake_serial import FakeSerial
from tests.support.pms5003 import RECORDED, air, frame, opened, pm25, recorded


class TestDecoding:
    def test_reads_recorded_frames_as_their_bytes_say(self) -> None:
        sensor, port = opened()
        for n, (raw, values) in enumerate(zip(recorded(), RECORDED, strict=True), 1):
            port.say(raw)
            sample = sensor.read(n * 800)
            assert sample.values == values
            assert sample.quality == ()

    def test_each_channel_has_its_own_word(self) -> None:
        sensor, port = opened()
        port.say(frame(*range(1001, 1013)))
        assert sensor.read(100).values == (1004, 1005, 1006, 1007, 1010, 1002)

    def test_words_are_big_endian_and_unsigned(self) -> None:
        sensor, port = opened()
        port.say(frame(*[0xFEDC] * 12))
        assert set(sensor.read(100).values) == {0xFEDC}

    def test_an_error_that_the_sensor_reports_is_a_fault_and_names_it(self) -> None:
        sensor, port = opened()
        port.say(frame(1, 2, 3, 4, 5, error=0x04))
        with pytest.raises(ImpossibleValue, match=r"error 0x04; clean or replace"):
            sensor.read(100)

    def test_any_version_of_the_part_is_read(self) -> None:
        sensor, port = opened()
        port.say(frame(1, 2, 3, 4, 55, version=0x80))
        assert pm25(sensor, 100) == 55


class TestOpening:
    def test_waits_for_a_frame_and_reads_it(self) -> None:
        port = FakeSerial(air(9), pause_s=2.3)
        sensor = PMS5003(port, PMS5003Options(), clock=port.clock)
        assert pm25(sensor, 7_000) == 9
        assert port.written == []

    def test_what_came_before_the_port_was_opened_is_never_a_reading(self) -> None:
        port = FakeSerial(air(9), waiting=air(200) * 100)
        sensor = PMS5003(port, PMS5003Options(), clock=port.clock)
        assert pm25(sensor, 0) == 9

    def test_a_port_opened_in_the_middle_of_a_frame_waits_for_the_next(self) -> None:
        port = FakeSerial(air(200)[7:], air(9))
        sensor = PMS5003(port, PMS5003Options(), clock=port.clock)
        assert pm25(sensor, 0) == 9

    def test_a_frame_that_comes_byte_by_byte_is_enough(self) -> None:
        port = FakeSerial(*(bytes((byte,)) for byte in air(9)), pause_s=0.001)
        sensor = PMS5003(port, PMS5003Options(), clock=port.clock)
        assert pm25(sensor, 0) == 9

    def test_silence_says_what_to_check_and_wakes_what_may_be_asleep(self) -> None:
        port = FakeSerial()
        with pytest.raises(BusTimeout, match=r"silent within 3 s; check its 5 V, that SET"):
            PMS5003(port, PMS5003Options(), clock=port.clock)
        assert b"".join(port.written).hex(" ") == "42 4d e4 00 01 01 74 42 4d e1 00 01 01 71"
        assert port.s == 103

    def test_noise_says_what_to_check_and_is_told_nothing(self) -> None:
        port = FakeSerial(*[b"\x00\xf8BM\x00\x1c"] * 9)
        with pytest.raises(BadFrame, match=r"bytes and no whole frame within 3 s; check the baud"):
            PMS5003(port, PMS5003Options(), clock=port.clock)
        assert port.written == []

    def test_endless_noise_ends_in_time(self) -> None:
        port = FakeSerial(*[b"\xf8" * 32] * 1000, pause_s=0.033)
        with pytest.raises(BadFrame):
            PMS5003(port, PMS5003Options(), clock=port.clock)
        assert port.s < 103.1

    @pytest.mark.parametrize("length", [20, 24, 36])
    def test_another_part_of_the_family_is_refused_by_its_length(self, length: int) -> None:
        port = FakeSerial(frame(1, 2, 3, length=length))
        with pytest.raises(WrongDevice, match=f"found a frame of length {length}"):
            PMS5003(port, PMS5003Options(), clock=port.clock)

    @pytest.mark.parametrize(
        ("part", "length", "words"),
        [(PMS5003, 20, '"pms3003"'), (PMS3003, 28, '"pms5003"'), (PMS5003T, 36, "no driver reads")],
    )
    def test_which_driver_reads_the_part_that_is_there_is_told(
        self, part: type[Plantower], length: int, words: str
    ) -> None:
        port = FakeSerial(frame(1, 2, 3, length=length))
        with pytest.raises(WrongDevice, match=f"expected a {part.model} .*{words}"):
            part(port, PMS5003Options(), clock=port.clock)

    def test_the_answer_to_a_command_is_no_frame_and_no_other_part(self) -> None:
        port = FakeSerial(bytes.fromhex("424d0004e1010175"), air(9))
        sensor = PMS5003(port, PMS5003Options(), clock=port.clock)
        assert pm25(sensor, 0) == 9

    def test_a_port_that_is_gone_is_a_bus_error(self) -> None:
        port = FakeSerial(air(9))
        port.gone = True
        with pytest.raises(BusError):
            PMS5003(port, PMS5003Options(), clock=port.clock)


class TestAge:
    def test_the_newest_frame_is_read(self) -> None:
        sensor, port = opened()
        port.say(air(6))
        sensor.feed(800)
        port.say(air(7) + air(8))
        assert pm25(sensor, 1_600) == 8

    @pytest.mark.parametrize("age_ms", [0, 2_300, 2_500])
    def test_a_frame_is_good_until_the_next_may_come(self, age_ms: int) -> None:
        sensor, _ = opened()
        sample = sensor.read(age_ms)
        assert (sample.values[1], sample.quality) == (5, ())

    @pytest.mark.parametrize("age_ms", [2_501, 10_000])
    def test_an_older_frame_is_kept_and_stale(self, age_ms: int) -> None:
        sensor, _ = opened()
        sample = sensor.read(age_ms)
        assert (sample.values[1], set(sample.quality)) == (5, {Quality.STALE})
        assert len(sample.quality) == len(sample.values)

    def test_what_is_no_value_does_not_become_a_stale_one(self) -> None:
        sensor = PMS5003T(port := FakeSerial(air(5)), PMS5003Options(), clock=port.clock)
        sensor.feed(0)
        assert sensor.read(3_000).quality[-2:] == (Quality.FAULT, Quality.FAULT)

    def test_after_a_few_periods_of_silence_there_is_no_reading(self) -> None:
        sensor, _ = opened()
        with pytest.raises(BusTimeout, match="silent for 10 s"):
            sensor.read(10_001)

    def test_after_a_few_periods_of_noise_it_is_a_bad_frame(self) -> None:
        sensor, port = opened()
        for now_ms in range(1_000, 11_000, 1_000):
            port.say(b"\xf8" * 32)
            sensor.feed(now_ms)
        with pytest.raises(BadFrame, match="320 bytes and no whole frame"):
            sensor.read(11_000)

    def test_reading_does_not_make_a_frame_younger(self) -> None:
        sensor, _ = opened()
        for now_ms in range(0, 2_501, 100):
            assert sensor.read(now_ms).quality == ()
        assert sensor.read(2_600).quality[0] is Quality.STALE

    def test_a_frame_is_as_old_as_its_feeding_not_as_its_reading(self) -> None:
        sensor, port = opened()
        port.say(air(6))
        sensor.feed(1_000)
        assert sensor.read(3_500).quality == ()
        assert sensor.read(3_501).quality[0] is Quality.STALE

    def test_what_queued_up_while_nobody_listened_is_never_fresh_air(self) -> None:
        sensor, port = opened()
        port.say(air(200) * 128)
        with pytest.raises(BusTimeout):
            sensor.read(60_000)
        port.say(air(9))
        sensor.feed(60_800)
        assert pm25(sensor, 60_900) == 9

    def test_of_a_queue_that_nobody_took_in_nothing_is_left(self) -> None:
        sensor, port = opened()
        port.say(air(200) * 300)  # more than is taken in at once
        sensor.feed(60_000)
        sensor.feed(60_100)
        with pytest.raises(BusTimeout):
            sensor.read(60_200)

    def test_the_time_between_opening_and_the_first_call_counts(self) -> None:
        port = FakeSerial(air(9))
        sensor = PMS5003(port, PMS5003Options(), clock=port.clock)
        port.s += 60
        port.say(air(200) * 26)
        with pytest.raises(BusTimeout):
            sensor.read(500_000)

    def test_the_first_call_after_opening_dates_the_frame_back(self) -> None:
        port = FakeSerial(air(9))
        sensor = PMS5003(port, PMS5003Options(), clock=port.clock)
        port.s += 2
        assert sensor.read(500_000).quality == ()
        assert sensor.read(500_600).quality[0] is Quality.STALE

    def test_a_frame_held_back_by_noise_is_not_told_with_the_next_one(self) -> None:
        sensor, port = opened()
        port.say(b"BM\x00\x24" + air(200))  # looks like the start of a longer frame
        sensor.feed(1_000)
        port.say(b"\x00" * 8)
        assert pm25(sensor, 2_000) == 5

    def test_a_frame_that_comes_late_while_somebody_listens_is_fresh(self) -> None:
        sensor, port = opened()
        for now_ms in range(1_000, 9_000, 1_000):
            sensor.read(now_ms)
        port.say(air(9))
        sample = sensor.read(9_000)
        assert (sample.values[1], sample.quality) == (9, ())

    def test_a_stream_that_is_slower_than_it_should_be_is_still_read(self) -> None:
        sensor, port = opened()
        for n in range(1, 9):
            port.say(air(10 + n))
            sensor.feed(n * 4_000)
            assert pm25(sensor, n * 4_000) == 10 + n

    def test_half_a_frame_waits_for_its_other_half_for_as_long_as_it_may_take(self) -> None:
        sensor, port = opened()
        port.say(air(9)[:15])
        sensor.feed(1_000)
        port.say(air(9)[15:])
        assert pm25(sensor, 1_150) == 9


def test_a_port_that_ends_is_a_bus_error() -> None:
    sensor, port = opened()
    port.gone = True
    with pytest.raises(BusError):
        sensor.feed(100)
    with pytest.raises(BusError):
        sensor.read(100)


def test_has_its_port_to_itself_at_9600_baud() -> None:
    assert PMS5003.alone
    assert PMS5003.line is not None
    assert PMS5003.line.baud == 9600
