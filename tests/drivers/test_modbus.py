"""The generic Modbus driver: what a file may ask for, and what becomes of a part that refuses."""

from __future__ import annotations

from typing import Any

import pytest

import drivers.modbus as module
from drivers.modbus import Modbus
from edgenode.config import parse
from edgenode.errors import WrongDevice
from tests.drivers.known_modbus import ROWS, Asked, options_of
from tests.support.fake_cable import FakeCable
from tests.support.toml import WELL, problems

STATION = """
[[bus]]
name = "rs485"
kind = "serial"
path = "/dev/serial/by-id/usb-1"

[[sensor]]
name = "station"
driver = "modbus"
bus = "rs485"
every_s = 10
purpose = "wind"

[[sensor.registers]]
name = "wind"
register = {register}
unit = "m/s"
type = "{type}"
"""


def test_values_side_by_side_are_one_request_and_of_one_moment() -> None:
    slave = Asked((0x4366, 0x3333, 1, 0, 0))
    sensor = Modbus(FakeCable(slave), options_of(module, *ROWS[:3]))
    slave.asked.clear()
    sensor.read(0)
    assert slave.asked == [(4, 0, 5)]


def test_a_part_that_refuses_a_register_is_told_at_its_opening() -> None:
    with pytest.raises(WrongDevice, match="has no such registers"):
        Modbus(FakeCable(lambda _: bytes.fromhex("01 84 02 c2 c1")), options_of(module, ROWS[0]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"factor": 0}, "factor is 0"),
        ({"low": 1}, "low and high go together"),
        ({"low": 2, "high": 1}, "low must be below high"),
        ({"register": 0xFFFF}, "ends beyond the last one"),
    ],
)
def test_what_does_not_go_together_is_said(changes: dict[str, Any], words: str) -> None:
    row = {**ROWS[1], **changes}
    with pytest.raises(ValueError, match=words):
        options_of(module, row)


def test_a_value_wider_than_an_answer_is_said() -> None:
    with pytest.raises(ValueError, match="does not fit an answer of 3"):
        options_of(module, ROWS[3], most=3)


def test_a_table_in_the_file_is_checked_like_all_of_it() -> None:
    assert parse(WELL + STATION.format(register=1, type="f32"), "n.toml").sensors
    (problem,) = problems(WELL + STATION.format(register=1, type="f16"))
    assert "registers[0].type" in problem
    (problem,) = problems(WELL + STATION.format(register=0xFFFF, type="f32"))
    assert "ends beyond the last one" in problem
