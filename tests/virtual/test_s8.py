"""The virtual S8: which addresses it heeds, which registers it has, and true to its log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgenode.bus.modbus import crc16
from edgenode.virtual import parse
from edgenode.virtual.s8 import S8Spec, VirtualS8
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

S = 1_000_000_000


def asked(address: int, function: int, first: int, count: int) -> bytes:
    frame = bytes((address, function, 0, first, 0, count))
    return frame + crc16(frame)


@pytest.fixture
def part(tmp_path: Path) -> VirtualS8:
    return VirtualS8(S8Spec("gas", co2=Play(offset=400)), Truth(tmp_path / "truth"), 0)


def test_it_answers_as_senseairs_own_examples(part: VirtualS8, tmp_path: Path) -> None:
    assert part.hear(bytes.fromhex("fe0400000004e5c6"), 0).hex() == "fe0408000000000000019016e6"
    assert part.hear(bytes.fromhex("fe0400030001d5c5"), S).hex() == "fe04020190acd8"
    lines = [json.loads(line) for line in (tmp_path / "truth").read_text("utf-8").splitlines()]
    assert [line["value"] for line in lines] == [400, 400]


def test_it_heeds_its_own_address_too_and_no_other(part: VirtualS8) -> None:
    assert part.hear(asked(0x68, 4, 3, 1), 0)[:3] == b"\x68\x04\x02"
    assert part.hear(asked(0x01, 4, 3, 1), S) == b""
    assert part.hear(asked(0xFE, 4, 3, 1)[:-1] + b"\0", 2 * S) == b""


@pytest.mark.parametrize(
    ("function", "first", "count", "code"), [(3, 0, 1, 1), (4, 4, 1, 2), (4, 0, 9, 2)]
)
def test_what_it_does_not_have_earns_an_exception(
    part: VirtualS8, function: int, first: int, count: int, code: int
) -> None:
    answer = part.hear(asked(0xFE, function, first, count), 0)
    assert answer[1:3] == bytes((function | 0x80, code))


def test_a_scenario_places_it() -> None:
    assert parse('[[instrument]]\nkind = "s8"\nsensor = "gas"\n').instrument == (S8Spec("gas"),)
