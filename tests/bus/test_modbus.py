"""Modbus RTU against known answers, against noise, and in simulated time."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.bus import SerialPort
from edgenode.bus.modbus import (
    Slave,
    crc16,
    longest_s,
    parsed,
    request,
    silence_s,
    usual_s,
)
from edgenode.errors import BadFrame, BusError, BusTimeout, DriverError, WrongDevice
from edgenode.reading import SerialLine
from tests.support.fake_cable import USUAL_S, FakeCable

ASKED = bytes.fromhex("01 04 00 00 00 02 71 CB")  # what pymodbus and minimalmodbus send
VOLTS = bytes.fromhex("01 04 04 43 66 33 33 5A FA")  # and what an SDM answers: 230.2 V
REGISTERS = bytes.fromhex("43 66 33 33")


def sealed(hexadecimal: str) -> bytes:
    frame = bytes.fromhex(hexadecimal)
    return frame + crc16(frame)


def slave(cable: FakeCable, address: int = 1, gap_s: float = 0.0) -> Slave:
    port: SerialPort = cable
    return Slave(port, address, gap_s)


def answering(answer: bytes) -> FakeCable:
    return FakeCable(lambda _: answer)


def test_the_checksum_is_that_of_known_frames() -> None:
    assert crc16(ASKED[:-2]) == ASKED[-2:]
    assert crc16(VOLTS[:-2]) == VOLTS[-2:]
    assert crc16(bytes.fromhex("FE 04 00 03 00 01")) == bytes.fromhex("D5 C5")  # Senseair S8
    assert crc16(b"123456789") == bytes.fromhex("37 4B")  # check value of CRC-16/MODBUS: 0x4B37


def test_an_answer_of_another_makers_meter_is_parsed_as_its_manual_has_it() -> None:
    asked = bytes.fromhex("01 04 00 00 00 0A 70 0D")  # PZEM-004T v3, 220.0 V
    registers = bytes.fromhex("0898 03E8 0000 0898 0000 0000 0000 01F4 0064 0000")
    answer = bytes.fromhex("01 04 14") + registers + bytes.fromhex("63 CE")
    assert request(1, 4, 0, 10) == asked
    assert slave(answering(answer)).read_input_registers(0, 10) == registers


def test_a_request_is_the_known_one() -> None:
    assert request(1, 4, 0, 2) == ASKED


@pytest.mark.parametrize(
    ("address", "first", "count"),
    [(0, 0, 1), (248, 0, 1), (1, 0, 0), (1, 0, 126), (1, 0xFFFF, 2), (1, -1, 1)],
)
def test_what_no_frame_can_ask_is_never_sent(address: int, first: int, count: int) -> None:
    cable = answering(VOLTS)
    with pytest.raises(ValueError, match=r"Modbus address|no request"):
        slave(cable, address).read_input_registers(first, count)
    assert cable.sent == []


def test_an_answer_gives_its_registers() -> None:
    assert parsed(VOLTS, 1, 4, 2) == REGISTERS
    assert slave(answering(VOLTS)).read_input_registers(0, 2) == REGISTERS


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (sealed("02 04 04 43 66 33 33"), "address 2 answered"),
        (sealed("01 03 04 43 66 33 33"), "answers another request"),
        (sealed("01 04 02 43 66"), "answers another request|checksum"),
        (sealed("01 04 08 43 66 33 33 00 00 00 00"), "answers another request|checksum"),
        (VOLTS[:-1], "checksum wrong or bytes missing"),
        (VOLTS[:3], "only 01 04 04 came"),
        (VOLTS[:-1] + b"\x00", "checksum wrong"),
        (b"\x00" + VOLTS[:-1], "checksum wrong"),
        (sealed("01 83 02"), "answers another request"),
    ],
)
def test_an_answer_that_is_not_to_this_request_is_a_bad_frame(answer: bytes, words: str) -> None:
    with pytest.raises(BadFrame, match=words):
        slave(answering(answer)).read_input_registers(0, 2)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (1, WrongDevice, "does not know this function"),
        (2, WrongDevice, "has no such registers"),
        (3, WrongDevice, "does not give so many registers at once"),
        (4, BusError, "failed while reading its registers"),
        (5, BusError, "will answer later"),
        (6, BusError, "is busy"),
        (8, BusError, "found its memory damaged"),
        (10, BusError, "gateway without a path"),
        (11, BusError, "gateway, and the part behind it does not answer"),
        (99, BusError, "refuses without a known reason"),
    ],
)
def test_an_exception_is_told_in_words(code: int, kind: type[DriverError], words: str) -> None:
    cable = answering(sealed(f"01 84 {code:02x}"))
    with pytest.raises(kind, match=f"Modbus address 1: the part .*{words}.*exception {code}"):
        slave(cable).read_input_registers(0, 2)
    assert cable.now_s < 0.1, "it waited for more than the five bytes of an exception"


def test_silence_is_a_timeout_that_says_what_to_check() -> None:
    cable = answering(b"")
    with pytest.raises(BusTimeout, match=r"no answer; check power, address, baud, .*A and B"):
        slave(cable).read_input_registers(0, 2)
    assert 0.5 < cable.now_s < 0.6


def test_a_read_waits_no_longer_than_its_answer_takes() -> None:
    count = 76
    frame = bytes((1, 4, 2 * count)) + bytes(2 * count)
    cable = answering(frame + crc16(frame))
    slave(cable).read_input_registers(0, count)
    assert cable.now_s == pytest.approx(usual_s(cable.line, count, 0, USUAL_S), abs=1e-6)


def test_an_answer_that_stops_halfway_is_not_waited_for_long() -> None:
    count = 76
    frame = bytes((1, 4, 2 * count)) + bytes(2 * count)
    cable = answering((frame + crc16(frame))[:50])
    with pytest.raises(BadFrame, match="bytes missing"):
        slave(cable).read_input_registers(0, count)
    assert cable.now_s < longest_s(cable.line, count, 0)


@pytest.mark.parametrize("baud", [2400, 9600, 19_200])
def test_three_and_a_half_characters_of_silence_go_before_every_frame(baud: int) -> None:
    cable = FakeCable(lambda _: VOLTS, line=SerialLine(baud))
    asker = slave(cable)
    for _ in range(3):
        asker.read_input_registers(0, 2)
    assert all(silence >= 35 / baud - 1e-9 for silence in cable.silences)


def test_above_19200_baud_the_silence_is_1750_us() -> None:
    assert silence_s(SerialLine(38_400)) == 0.001_75
    assert silence_s(SerialLine(115_200)) == 0.001_75
    assert silence_s(SerialLine(19_200)) == pytest.approx(3.5 * 10 / 19_200)


def test_a_part_may_want_a_longer_silence() -> None:
    cable = answering(VOLTS)
    asker = slave(cable, gap_s=0.1)
    asker.read_input_registers(0, 2)
    asker.read_input_registers(0, 2)
    assert cable.silences[1] == pytest.approx(0.1)


def test_what_came_before_the_request_is_never_its_answer() -> None:
    old = sealed("01 04 04 00 00 00 00")
    cable = answering(VOLTS)
    cable.says(old)
    cable.now_s = 1.0
    assert slave(cable).read_input_registers(0, 2) == REGISTERS


def test_a_late_answer_that_is_still_coming_is_heard_out() -> None:
    old = sealed("01 04 04 00 00 00 00")
    cable = answering(VOLTS)
    cable.says(old, in_s=0.002)
    assert slave(cable).read_input_registers(0, 2) == REGISTERS
    assert cable.silences[-1] >= silence_s(cable.line) - 1e-9


def test_an_answer_that_came_after_its_time_is_not_the_next_ones() -> None:
    count, frame = 4, sealed("01 04 08 00 00 00 00 00 00 00 00")
    cable = answering(frame)
    cable.late_s = 0.55
    with pytest.raises(BusTimeout):
        slave(cable).read_input_registers(0, count)
    cable.parts, cable.late_s = [lambda _: VOLTS], 0.03
    assert slave(cable, gap_s=0.1).read_input_registers(0, 2) == REGISTERS


def test_a_line_that_never_falls_silent_is_given_up() -> None:
    cable = answering(VOLTS)
    cable.says(bytes(10_000))
    with pytest.raises(BusError, match="never falls silent; is there another master"):
        slave(cable).read_input_registers(0, 2)
    assert cable.sent == []
    assert cable.now_s < 2


def test_the_echo_of_the_adapter_is_no_answer() -> None:
    cable = answering(VOLTS)
    cable.echo = True
    assert slave(cable).read_input_registers(0, 2) == REGISTERS


def test_an_echo_alone_is_no_answer_either() -> None:
    cable = answering(b"")
    cable.echo = True
    with pytest.raises(BusTimeout, match="no answer"):
        slave(cable).read_input_registers(0, 2)


def test_an_exception_behind_an_echo_is_told() -> None:
    cable = answering(sealed("01 84 06"))
    cable.echo = True
    with pytest.raises(BusError, match="is busy"):
        slave(cable).read_input_registers(0, 2)


@pytest.mark.parametrize("echo", [False, True])
def test_an_answer_that_begins_as_its_request_does_is_told_from_an_echo(echo: bool) -> None:  # noqa: FBT001 - both cases
    cable = answering(sealed("01 04 04 00 00 02 AA BB"[:20]))  # register 0x0400: 04 is its length
    cable.echo = echo
    assert slave(cable).read_input_registers(0x0400, 2) == bytes.fromhex("00 00 02 AA")


def test_nothing_takes_longer_than_is_promised() -> None:
    cable = answering(b"")
    cable.echo = True
    cable.says(b"noise", in_s=0.05)
    with pytest.raises(BusTimeout):
        slave(cable, gap_s=0.1).read_input_registers(0, 76)
    assert cable.now_s <= longest_s(cable.line, 76, 0.1)


def test_a_port_that_is_gone_says_so() -> None:
    cable = answering(VOLTS)
    cable.broken = True
    with pytest.raises(BusError, match="unplugged"):
        slave(cable).read_input_registers(0, 2)


@given(st.integers(0, 8 * len(VOLTS) - 1))
def test_a_single_flipped_bit_is_never_a_reading(bit: int) -> None:
    damaged = bytearray(VOLTS)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DriverError):
        slave(answering(bytes(damaged))).read_input_registers(0, 2)


@given(st.binary(max_size=64))
def test_noise_is_an_error_and_never_anything_else(noise: bytes) -> None:
    with pytest.raises(DriverError):
        slave(answering(noise)).read_input_registers(0, 30)


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=125), st.data())
def test_any_lumps_of_the_answer_give_the_same_registers(
    registers: list[int], data: st.DataObject
) -> None:
    body = struct.pack(f">BBB{len(registers)}H", 1, 4, 2 * len(registers), *registers)
    frame = body + crc16(body)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(frame) - 1), max_size=4)))
    cable = FakeCable()

    def in_lumps(_: bytes) -> bytes:
        for n, (begin, end) in enumerate(zip([0, *cuts], [*cuts, len(frame)], strict=True)):
            cable.says(frame[begin:end], 0.05 + 0.016 * n + begin * cable.character_s)
        return b""

    cable.parts = [in_lumps]
    assert slave(cable).read_input_registers(1, len(registers)) == body[3:]
