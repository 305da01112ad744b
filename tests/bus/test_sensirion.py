"""Sensirion's words: known checksums, and no wrong bit gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.bus.sensirion import crc8, words
from edgenode.errors import BadFrame


@pytest.mark.parametrize(
    ("data", "checksum"),
    [("beef", 0x92), ("01f4", 0x33), ("6667", 0xA2), ("5eb9", 0x3C), ("6666", 0x93)],
)
def test_the_checksum_is_the_one_of_the_datasheets(data: str, checksum: int) -> None:
    assert crc8(bytes.fromhex(data)) == checksum


def test_words_are_big_endian_and_come_in_order() -> None:
    assert words(bytes.fromhex("01f433 6667a2 5eb93c"), "x") == [500, 26215, 24249]


def test_a_wrong_checksum_names_the_sensor_the_byte_and_what_to_check() -> None:
    with pytest.raises(BadFrame, match=r"SHT4x at 0x44: .*in byte 6; check cable"):
        words(bytes.fromhex("666693 8000a3"), "SHT4x at 0x44")


@pytest.mark.parametrize("size", [0, 1, 2, 4, 5])
def test_what_is_not_made_of_whole_words_is_refused(size: int) -> None:
    with pytest.raises(BadFrame, match=f"{size} bytes"):
        words(bytes.fromhex("666693666693")[:size], "x")


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_a_line_that_is_held_or_floats_is_never_a_word(byte: int) -> None:
    with pytest.raises(BadFrame):
        words(bytes((byte,)) * 3, "x")


@given(
    data=st.binary(min_size=2, max_size=2), bits=st.sets(st.integers(0, 23), min_size=1, max_size=2)
)
def test_one_or_two_flipped_bits_are_always_found(data: bytes, bits: set[int]) -> None:
    sent = int.from_bytes(data + bytes((crc8(data),)), "big")
    for bit in bits:
        sent ^= 1 << bit
    with pytest.raises(BadFrame):
        words(sent.to_bytes(3, "big"), "x")
