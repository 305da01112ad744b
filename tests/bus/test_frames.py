"""Frames out of a stream: found behind and inside noise, the same however it is cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edgenode.bus.frames import Frames, Shape

# `AA 55`, the bytes that follow, those bytes, their sum: at most 8 bytes.
SHAPE = Shape(
    b"\xaa\x55",
    3,
    lambda head: 4 + head[2] if head[2] <= 4 else 0,
    lambda frame: sum(frame[3:-1]) & 0xFF == frame[-1],
)


def frame(body: bytes) -> bytes:
    return b"\xaa\x55" + bytes((len(body),)) + body + bytes((sum(body) & 0xFF,))


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Return `data` cut at these places."""
    at = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(at)]


def cut(*data: bytes) -> list[bytes]:
    frames = Frames(SHAPE)
    return [found for piece in data for found in frames.cut(piece)]


def test_a_frame_is_given_once_it_is_whole() -> None:
    frames = Frames(SHAPE)
    assert frames.cut(frame(b"abc")[:-1]) == []
    assert frames.cut(frame(b"abc")[-1:] + frame(b"")) == [frame(b"abc"), frame(b"")]


def test_half_a_header_before_a_frame_costs_nothing() -> None:
    assert cut(b"\xaa" + frame(b"abc")) == [frame(b"abc")]
    assert cut(b"\xaa", frame(b"abc")) == [frame(b"abc")]


def test_a_frame_inside_what_looked_like_one_is_found() -> None:
    assert cut(b"\xaa\x55\x04" + frame(b"ok")) == [frame(b"ok")]


def test_a_length_that_there_is_not_is_not_waited_for() -> None:
    assert cut(b"\xaa\x55\xff" + frame(b"ab")) == [frame(b"ab")]


def test_a_frame_whose_end_was_lost_takes_none_with_it() -> None:
    assert cut(frame(b"abcd")[:-2] + frame(b"ab") + frame(b"cd")) == [frame(b"ab"), frame(b"cd")]


def test_what_was_cleared_is_no_beginning() -> None:
    frames = Frames(SHAPE)
    frames.cut(frame(b"abc")[:4])
    frames.clear()
    assert frames.cut(frame(b"abc")[4:] + frame(b"d")) == [frame(b"d")]


noise = st.binary(max_size=40) | st.lists(
    st.sampled_from([0xAA, 0x55, 0, 1, 4, 5]), max_size=40
).map(bytes)


@given(data=noise, cuts=st.lists(st.integers(0, 100), max_size=9), body=st.binary(max_size=4))
def test_the_frames_are_the_same_however_the_stream_is_cut(
    data: bytes, cuts: list[int], body: bytes
) -> None:
    stream = data + frame(body) + data
    assert cut(*pieces(stream, cuts)) == cut(stream)


@given(data=noise)
def test_noise_never_takes_two_frames_with_it(data: bytes) -> None:
    found = cut(data + frame(b"one") + frame(b"two") + frame(b"end"))
    assert found[-1] == frame(b"end")


@given(chunks=st.lists(noise, max_size=20))
def test_what_is_kept_is_shorter_than_the_longest_frame(chunks: list[bytes]) -> None:
    frames = Frames(SHAPE)
    for chunk in chunks:
        frames.cut(chunk)
        assert len(frames._kept) < 8
