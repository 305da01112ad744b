"""Sensirion's words: known checksums, and no wrong bit gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.bus.sensirion import Commands, answers_unasked, crc8, floats, text, words
from edgenode.errors import BadFrame, BusError, BusStuck, BusTimeout, WrongDevice
from tests.support.fake_sensirion import FakeSensirion


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


def test_pairs_of_words_are_floats() -> None:
    assert floats([0x43DB, 0x8C2E, 0xC000, 0]) == pytest.approx((439.09, -2.0), abs=0.01)


def test_a_text_ends_with_its_first_zero_and_shows_what_is_no_letter() -> None:
    assert text([0x3041, 0x4200, 0x4343]) == "0AB"
    assert text([0x41FF]) == "A?"


def test_words_that_prove_no_identity_are_another_device() -> None:
    chip = FakeSensirion({b"\x36\x82": bytes(3)})
    with pytest.raises(WrongDevice, match=r"x: 00 00 00 .*0x3682 should have told"):
        Commands(chip, "x", lambda _: None).identity(0x3682, 1, wait_s=0)


def test_a_nudge_need_not_be_acknowledged_unless_the_whole_wire_is_held() -> None:
    chip, naps = FakeSensirion({}), list[float]()
    part = Commands(chip, "x", naps.append)
    chip.broken = BusError("no acknowledge")
    part.nudge(0x36F6, 0.03)
    assert naps == [0.03]
    for held in (BusTimeout("SCL is held"), BusStuck("held")):
        chip.broken = held
        with pytest.raises(type(held)):
            part.nudge(0x36F6, 0.03)


def test_only_a_stranger_answers_what_it_was_not_asked() -> None:
    assert not answers_unasked(FakeSensirion({}))
    chip = FakeSensirion({})
    chip._answer = b"\x39\x9f"
    assert answers_unasked(chip)
    chip.broken = BusStuck("held")
    with pytest.raises(BusStuck):
        answers_unasked(chip)
