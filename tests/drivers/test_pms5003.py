"""The PMS5003 driver against recorded frames: cut in anywhere, damaged anyhow, old, or silent."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.pms5003 import PMS5003, PMS5003Options
from edgenode.errors import (
    BadFrame,
    BusError,
    BusTimeout,
    DriverError,
    ImpossibleValue,
    WrongDevice,
)
from edgenode.reading import Quality
from tests.support.fake_serial import FakeSerial

CAPTURE = Path(__file__).parents[1] / "data" / "pmsx003.hexdump"
# What the capture says by hand: pm1, pm25, pm10, > 0.3 µm, > 2.5 µm, PM2.5 of CF=1.
RECORDED = [
    (0, 8, 8, 210, 30, 8),
    (0, 7, 7, 210, 30, 7),
    (0, 7, 7, 189, 27, 7),
    (0, 7, 7, 180, 24, 7),
    (0, 7, 7, 180, 24, 7),
    (0, 6, 6, 180, 21, 6),
    (0, 6, 6, 180, 21, 6),
    (0, 6, 6, 159, 18, 6),
]


def recorded() -> list[bytes]:
    lines = CAPTURE.read_text("ascii").splitlines()
    return [bytes.fromhex(line.split(": ")[1].split("  ")[0]) for line in lines]


def frame(*words: int, length: int = 28, version: int = 0x97, error: int = 0) -> bytes:
    """Build a frame of twelve words, of which those not given are 0, as appendix I says."""
    body = struct.pack(">12H", *words, *[0] * (12 - len(words))) + bytes((version, error))
    head = b"BM" + struct.pack(">H", length) + body.ljust(length - 2, b"\0")[: length - 2]
    return head + struct.pack(">H", sum(head))


def air(pm25: int) -> bytes:
    """Build a frame that is told apart by its PM2.5."""
    return frame(1, 2, 3, 4, pm25, 6, 7)


def opened(port: FakeSerial | None = None) -> tuple[PMS5003, FakeSerial]:
    """Return a driver that has just been opened at 0 ms, with PM2.5 at 5."""
    port = port or FakeSerial(air(5))
    sensor = PMS5003(port, PMS5003Options(), clock=port.clock)
    sensor.feed(0)
    return sensor, port


def pm25(sensor: PMS5003, now_ms: int) -> float | None:
    return sensor.read(now_ms).values[1]


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


class TestDamage:
    @pytest.mark.parametrize("bit", range(32 * 8))
    def test_no_single_flipped_bit_is_ever_a_reading(self, bit: int) -> None:
        sensor, port = opened()
        flipped = int.from_bytes(recorded()[0], "big") ^ 1 << bit
        port.say(flipped.to_bytes(32, "big"))
        assert pm25(sensor, 100) == 5

    @given(words=st.lists(st.integers(0, 0xFFFF), max_size=12), bit=st.integers(0, 255))
    def test_no_flipped_bit_costs_more_than_its_own_frame(self, words: list[int], bit: int) -> None:
        sensor, port = opened()
        flipped = int.from_bytes(frame(*words), "big") ^ 1 << bit
        port.say(flipped.to_bytes(32, "big"))
        sensor.feed(800)
        port.say(air(9))
        assert pm25(sensor, 1_600) == 9

    def test_a_doubled_start_byte_costs_nothing(self) -> None:
        sensor, port = opened()
        port.say(b"B" + air(9))
        assert pm25(sensor, 100) == 9

    @pytest.mark.parametrize("at", range(32))
    def test_a_doubled_lost_or_inserted_byte_costs_no_more_than_its_own_frame(
        self, at: int
    ) -> None:
        good = air(200)
        doubled, lost = good[: at + 1] + good[at:], good[:at] + good[at + 1 :]
        inserted = good[:at] + b"\x42" + good[at:]
        for damaged in (doubled, lost, inserted):
            sensor, port = opened()
            port.say(damaged + air(9))
            assert pm25(sensor, 100) == 9

    @given(cuts=st.lists(st.integers(0, 255), max_size=30))
    def test_the_recorded_stream_gives_the_same_frames_however_it_is_cut(
        self, cuts: list[int]
    ) -> None:
        sensor, port = opened()
        stream = b"".join(recorded())
        seen = [5.0]
        for n, (a, b) in enumerate(pairwise([0, *sorted(cuts), len(stream)])):
            port.say(stream[a:b])
            newest = sensor.read(n * 20).values
            whole = b // 32
            assert newest == RECORDED[whole - 1] if whole else newest[1] == 5
            seen.append(newest[1] or 0)
        assert seen[-1] == RECORDED[-1][1]

    @given(start=st.integers(0, 255))
    def test_the_recorded_stream_is_found_wherever_it_is_cut_in(self, start: int) -> None:
        sensor, port = opened()
        port.say(b"".join(recorded())[start:])
        left = (256 - start) // 32
        assert sensor.read(100).values == (RECORDED[-1] if left else (4, 5, 6, 7, 0, 2))

    @given(chunks=st.lists(st.binary(max_size=80), max_size=20))
    def test_noise_never_crashes_and_never_becomes_a_number(self, chunks: list[bytes]) -> None:
        sensor, port = opened()
        now_ms = 0
        for chunk in chunks:
            now_ms += 100
            port.say(chunk)
            assert pm25(sensor, now_ms) == 5

    @given(
        chunks=st.lists(
            st.lists(st.sampled_from(b"BM\x00\x1c\x04\x24"), max_size=60).map(bytes), max_size=20
        )
    )
    def test_noise_made_of_headers_never_becomes_a_number_either(self, chunks: list[bytes]) -> None:
        sensor, port = opened()
        for n, chunk in enumerate(chunks):
            port.say(chunk)
            try:
                assert pm25(sensor, n * 100) == 5
            except DriverError:
                return

    def test_another_part_that_takes_its_place_is_refused(self) -> None:
        sensor, port = opened()
        port.say(frame(1, 2, 3, length=20))
        with pytest.raises(WrongDevice, match="length 20"):
            sensor.feed(100)


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
