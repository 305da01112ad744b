"""The virtual SDS011: its two ways to work, its commands, and true to its log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgenode.virtual import parse
from edgenode.virtual.sds011 import Sds011Spec, VirtualSDS011
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth
from tests.support.sds011 import SLEEP, WAKE, told

S = 1_000_000_000
STEADY = Sds011Spec("dust", pm25=Play(offset=0.6), pm10=Play(offset=0.6))


@pytest.fixture
def part(tmp_path: Path) -> VirtualSDS011:
    return VirtualSDS011(STEADY, Truth(tmp_path / "truth"), 0)


def test_a_report_is_laid_out_as_one_that_was_recorded_and_logged(
    part: VirtualSDS011, tmp_path: Path
) -> None:
    assert part.speak(S).hex() == "aac00600060058d93dab"
    lines = [json.loads(line) for line in (tmp_path / "truth").read_text("utf-8").splitlines()]
    assert [(line["channel"], line["value"]) for line in lines] == [
        ("dust/pm25", 0.6),
        ("dust/pm10", 0.6),
    ]


def test_with_a_period_it_works_half_a_minute_and_reports_once(part: VirtualSDS011) -> None:
    assert part.hear(bytes.fromhex(told(0x08, 1, 5)), 0).hex() == "aac50801050058d93fab"
    assert part.next_ns() == 30 * S
    assert len(part.speak(30 * S)) == 10
    assert part.next_ns() == 330 * S
    assert part.resting(31 * S)
    assert not part.resting(300 * S)


def test_asleep_it_heeds_only_being_woken(part: VirtualSDS011) -> None:
    assert part.hear(bytes.fromhex(SLEEP), 0)
    assert part.next_ns() is None
    assert part.hear(bytes.fromhex(told(0x07)), S) == b""
    assert part.hear(bytes.fromhex(WAKE), 2 * S) == b""
    assert part.hear(bytes.fromhex(told(0x07)), 3 * S).hex() == "aac507120b1058d965ab"


def test_asked_it_reports_at_once_and_by_itself_no_more(part: VirtualSDS011) -> None:
    assert part.hear(bytes.fromhex(told(0x02, 1, 1)), 0)
    assert part.next_ns() is None
    assert part.hear(bytes.fromhex(told(0x04)), S)[:2] == b"\xaa\xc0"


def test_what_is_damaged_or_for_another_part_is_not_obeyed(part: VirtualSDS011) -> None:
    whole = bytes.fromhex(told(0x08, 1, 5))
    assert part.hear(whole[:-2] + b"\0\xab", 0) == b""
    assert part.hear(whole[:15] + b"\x01\x02\x11\xab", 0) == b""
    assert part.minutes == 0
    assert part.hear(b"\xaa" + whole[:7], 0) == b""
    assert part.hear(whole[7:], 0)
    assert part.minutes == 5


def test_a_scenario_places_it() -> None:
    text = '[[instrument]]\nkind = "sds011"\nsensor = "dust"\n'
    assert parse(text).instrument == (Sds011Spec("dust"),)
