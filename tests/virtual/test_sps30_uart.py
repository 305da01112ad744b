"""The virtual SPS30 on a UART: states, damaged frames, and true to its log."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from edgenode.virtual import parse
from edgenode.virtual.sps30_uart import Sps30UartSpec, VirtualSPS30UART
from edgenode.virtual.truth import Truth

S = 1_000_000_000
START, READ = bytes.fromhex("7e0000020103f97e"), bytes.fromhex("7e000300fc7e")


@pytest.fixture
def part(tmp_path: Path) -> VirtualSPS30UART:
    return VirtualSPS30UART(Sps30UartSpec("fine"), Truth(tmp_path / "truth"), 0)


def state(answer: bytes) -> int:
    """Return the third byte of an answer whose command may be stuffed."""
    return answer.replace(b"\x7d\x31", b"\x11")[3]


def test_each_measurement_is_told_once_and_logged(part: VirtualSPS30UART, tmp_path: Path) -> None:
    assert state(part.hear(READ, 0)) == 0x43
    assert state(part.hear(START, 0)) == 0
    assert part.hear(READ, S // 2).hex() == "7e00030000fc7e"
    said = part.hear(READ, S)
    assert part.hear(READ, S + S // 2).hex() == "7e00030000fc7e"
    for pair, byte in (("7d5e", "7e"), ("7d31", "11"), ("7d33", "13"), ("7d5d", "7d")):
        said = said.replace(bytes.fromhex(pair), bytes.fromhex(byte))
    lines = [json.loads(line) for line in (tmp_path / "truth").read_text("utf-8").splitlines()]
    assert [line["value"] for line in lines] == list(struct.unpack(">10f", said[5:45]))


def test_a_damaged_frame_and_another_address_are_met_with_silence(part: VirtualSPS30UART) -> None:
    assert part.hear(bytes.fromhex("7e000300fd7e"), 0) == b""
    assert part.hear(bytes.fromhex("7e010300fb7e"), 0) == b""
    assert part.hear(READ[:3], 0) == b""
    assert state(part.hear(READ[3:], 0)) == 0x43


def test_while_it_sleeps_only_a_wake_up_after_a_pulse_is_heard(part: VirtualSPS30UART) -> None:
    assert state(part.hear(bytes.fromhex("7e001000ef7e"), 0)) == 0
    wake = bytes.fromhex("7e007d3100ee7e")
    assert part.hear(wake, S) == b""
    assert state(part.hear(wake, S + S // 20)) == 0


def test_an_old_firmware_does_not_know_its_status_register(tmp_path: Path) -> None:
    old = VirtualSPS30UART(Sps30UartSpec("f", firmware=(2, 1)), Truth(tmp_path / "t"), 0)
    assert state(old.hear(bytes.fromhex("7e00d201002c7e"), 0)) == 0x02


def test_a_scenario_places_it() -> None:
    assert parse('[[instrument]]\nkind = "sps30_uart"\nsensor = "fine"\n').instrument == (
        Sps30UartSpec("fine"),
    )
