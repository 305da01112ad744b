"""SHDLC frames as Sensirion's datasheet has them, and a device that answers otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.bus.shdlc import Answer, Device, NotNow, missing, request, stuffed, unstuffed
from edgenode.errors import BadFrame, BusError, BusTimeout, WrongDevice
from edgenode.reading import SerialLine
from tests.support.fake_cable import FakeCable
from tests.support.sps30_uart import framed


def device(said: bytes) -> tuple[Device, FakeCable]:
    cable = FakeCable(lambda _: said, line=SerialLine(115_200))
    return Device(cable, "part"), cable


def test_requests_are_those_that_others_send() -> None:
    assert request(0, 0x00, b"\x01\x03").hex() == "7e0000020103f97e"
    assert request(0, 0x03).hex() == "7e000300fc7e"
    assert request(0, 0x80, b"\0").hex() == "7e008001007d5e7e"


@given(st.binary(max_size=60))
def test_what_was_stuffed_is_unstuffed_and_has_no_byte_that_the_line_would_mean(
    content: bytes,
) -> None:
    assert unstuffed(stuffed(content)) == content
    assert not {0x7E, 0x11, 0x13} & set(stuffed(content))


@given(st.binary(max_size=255), st.data())
def test_an_answer_is_never_waited_for_past_its_end(data: bytes, draw: st.DataObject) -> None:
    content = framed(0x03, data)[1:]
    at = draw.draw(st.integers(0, len(content) - 1))
    assert 1 <= missing(content[:at]) <= len(content) - at


@given(st.binary(max_size=255))
def test_any_data_comes_back_whole(data: bytes) -> None:
    part, _ = device(framed(0x03, data))
    assert part.ask(0x03) == Answer(data, unwell=False)


@pytest.mark.parametrize(
    ("state", "error", "words"),
    [
        (0x01, BusError, "of the wrong length"),
        (0x02, WrongDevice, "does not know this command"),
        (0x04, BusError, "out of range"),
        (0x43, NotNow, "in its present state"),
        (0x5A, BusError, "without a known reason"),
    ],
)
def test_what_a_part_says_instead_is_told_in_words(
    state: int, error: type[Exception], words: str
) -> None:
    part, _ = device(framed(0x03, state=state))
    with pytest.raises(error, match=f"part: it .*{words}.*state 0x{state:02x}"):
        part.ask(0x03)


@pytest.mark.parametrize(
    "said", [b"\x7e", b"\x7e\x00\x03", framed(0x03, bytes(9))[:-1], b"\x55" * 9]
)
def test_half_an_answer_ends_in_time_as_a_bad_frame(said: bytes) -> None:
    part, cable = device(said)
    with pytest.raises(BadFrame, match="part: "):
        part.ask(0x03)
    assert cable.now_s < 1


def test_no_answer_says_what_to_check() -> None:
    part, _ = device(b"")
    with pytest.raises(BusTimeout, match="part: no answer; check its 5 V, that SEL is open"):
        part.ask(0x03)


def test_an_endless_answer_ends() -> None:
    part, cable = device(b"\x7e" + b"\x00\x03\x00\xff" + b"\x7d\x5d" * 400)
    with pytest.raises(BadFrame):
        part.ask(0x03)
    assert cable.now_s < 1


def test_the_answer_to_another_request_is_refused() -> None:
    part, _ = device(framed(0x03, b"\x01"))
    with pytest.raises(BadFrame, match="answers another request"):
        part.ask(0x80)
