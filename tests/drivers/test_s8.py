"""The Senseair S8: errors that it reports itself, and where it is asked."""

from __future__ import annotations

import struct

import pytest

from drivers.s8 import S8, S8Options
from edgenode.errors import BusTimeout, ImpossibleValue, WrongDevice
from edgenode.reading import Sample
from tests.drivers.known_s8 import ANSWER, answered
from tests.support.fake_cable import FakeCable


def read(said: bytes) -> Sample:
    cable = FakeCable(lambda _: ANSWER)
    sensor = S8(cable, S8Options())
    cable.parts[:] = [lambda _: said]
    return sensor.read(0)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0x01, r"a fatal error \(meter status 0x0001\)"),
        (0x50, "a failed self-diagnosis and an error of its memory"),
    ],
)
def test_an_error_that_the_meter_reports_is_a_fault_in_words(status: int, words: str) -> None:
    with pytest.raises(ImpossibleValue, match=words):
        read(answered(struct.pack(">4H", status, 0, 0, 400)))


def test_an_error_of_its_outputs_says_nothing_against_a_reading() -> None:
    assert read(answered(struct.pack(">4H", 0x08, 1, 3, 400))) == Sample((400,))


def test_a_part_that_is_not_there_is_told_at_opening() -> None:
    with pytest.raises(BusTimeout, match="Modbus address 254: no answer"):
        S8(FakeCable(lambda _: b""), S8Options())


def test_a_part_without_these_registers_is_another_one() -> None:
    refusal = bytes.fromhex("fe8402f2f1")
    with pytest.raises(WrongDevice, match="has no such registers"):
        read(refusal)
