"""The PMS5003 driver on a stream that is cut, damaged, or nothing but noise."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.errors import DriverError, WrongDevice
from tests.support.pms5003 import RECORDED, air, frame, opened, pm25, recorded


@pytest.mark.parametrize("bit", range(32 * 8))
def test_no_single_flipped_bit_is_ever_a_reading(bit: int) -> None:
    sensor, port = opened()
    flipped = int.from_bytes(recorded()[0], "big") ^ 1 << bit
    port.say(flipped.to_bytes(32, "big"))
    assert pm25(sensor, 100) == 5


@given(words=st.lists(st.integers(0, 0xFFFF), max_size=12), bit=st.integers(0, 255))
def test_no_flipped_bit_costs_more_than_its_own_frame(words: list[int], bit: int) -> None:
    sensor, port = opened()
    flipped = int.from_bytes(frame(*words), "big") ^ 1 << bit
    port.say(flipped.to_bytes(32, "big"))
    sensor.feed(800)
    port.say(air(9))
    assert pm25(sensor, 1_600) == 9


def test_a_doubled_start_byte_costs_nothing() -> None:
    sensor, port = opened()
    port.say(b"B" + air(9))
    assert pm25(sensor, 100) == 9


@pytest.mark.parametrize("at", range(32))
def test_a_doubled_lost_or_inserted_byte_costs_no_more_than_its_own_frame(at: int) -> None:
    good = air(200)
    doubled, lost = good[: at + 1] + good[at:], good[:at] + good[at + 1 :]
    inserted = good[:at] + b"\x42" + good[at:]
    for damaged in (doubled, lost, inserted):
        sensor, port = opened()
        port.say(damaged + air(9))
        assert pm25(sensor, 100) == 9


@given(cuts=st.lists(st.integers(0, 255), max_size=30))
def test_the_recorded_stream_gives_the_same_frames_however_it_is_cut(cuts: list[int]) -> None:
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
def test_the_recorded_stream_is_found_wherever_it_is_cut_in(start: int) -> None:
    sensor, port = opened()
    port.say(b"".join(recorded())[start:])
    left = (256 - start) // 32
    assert sensor.read(100).values == (RECORDED[-1] if left else (4, 5, 6, 7, 0, 2))


@given(chunks=st.lists(st.binary(max_size=80), max_size=20))
def test_noise_never_crashes_and_never_becomes_a_number(chunks: list[bytes]) -> None:
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
def test_noise_made_of_headers_never_becomes_a_number_either(chunks: list[bytes]) -> None:
    sensor, port = opened()
    for n, chunk in enumerate(chunks):
        port.say(chunk)
        try:
            assert pm25(sensor, n * 100) == 5
        except DriverError:
            return


def test_another_part_that_takes_its_place_is_refused() -> None:
    sensor, port = opened()
    port.say(frame(1, 2, 3, length=20))
    with pytest.raises(WrongDevice, match="length 20"):
        sensor.feed(100)
