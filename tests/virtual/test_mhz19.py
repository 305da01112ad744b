"""The virtual MH-Z19: its frames, however they come, and true to its log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgenode.virtual import parse
from edgenode.virtual.mhz19 import MhZ19Spec, VirtualMHZ19
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

READ = bytes.fromhex("ff0186000000000079")


@pytest.fixture
def part(tmp_path: Path) -> VirtualMHZ19:
    return VirtualMHZ19(MhZ19Spec("gas", co2=Play(offset=636)), Truth(tmp_path / "truth"), 0)


def test_an_answer_is_laid_out_as_one_that_was_recorded(part: VirtualMHZ19, tmp_path: Path) -> None:
    assert part.hear(READ, 0).hex() == "ff86027c42000000ba"
    (line,) = (tmp_path / "truth").read_text("utf-8").splitlines()
    assert json.loads(line)["value"] == 636


def test_a_request_may_come_in_pieces_and_behind_noise(part: VirtualMHZ19) -> None:
    assert part.hear(b"\x55\xff" + READ[:4], 0) == b""
    assert part.hear(READ[4:], 0)[:2] == b"\xff\x86"


def test_a_damaged_request_is_met_with_silence(part: VirtualMHZ19) -> None:
    assert part.hear(READ[:-1] + b"\x78", 0) == b""


def test_it_measures_no_further_than_its_range(tmp_path: Path) -> None:
    spec = MhZ19Spec("gas", range_ppm=2000, co2=Play(offset=3000))
    answer = VirtualMHZ19(spec, Truth(tmp_path / "truth"), 0).hear(READ, 0)
    assert int.from_bytes(answer[2:4], "big") == 2000


def test_a_scenario_places_it() -> None:
    assert parse('[[instrument]]\nkind = "mhz19"\nsensor = "gas"\n').instrument == (
        MhZ19Spec("gas"),
    )
