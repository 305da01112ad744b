"""The virtual optical meter: its times, its speeds, its echo, and its totals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgenode.virtual.iec62056 import Iec62056Spec, VirtualIEC62056
from edgenode.virtual.truth import Truth

MS = 1_000_000
SIGN_ON, ACK = b"/?!\r\n", b"\x06050\r\n"


def even(text: bytes) -> bytes:
    return bytes(code | (0x80 if code.bit_count() % 2 else 0) for code in text)


def meter(tmp_path: Path, **spec: Any) -> VirtualIEC62056:
    return VirtualIEC62056(Iec62056Spec("m", **spec), Truth(tmp_path / "truth"), 0)


def said(one: VirtualIEC62056) -> tuple[bytes, int, int]:
    """Let it finish; return what it said as text, and when it began and ended, in ms."""
    text, began, at = b"", one.next_ns(), 0
    while (due := one.next_ns()) is not None:
        text, at = text + one.speak(due), due
    return bytes(code & 0x7F for code in text), (began or 0) // MS, at // MS


def test_it_answers_a_request_after_a_quarter_of_a_second_at_300_baud(tmp_path: Path) -> None:
    one = meter(tmp_path)
    assert one.hear(even(SIGN_ON), 0) == even(SIGN_ON), "the head gives an echo"
    text, began, ended = said(one)
    assert text == b"/EDG5MT-12345678\r\n"
    assert began == 250
    assert ended - began >= 18 * 10 * 1000 / 300 - 50


def test_what_is_acknowledged_is_the_speed_of_its_data_and_then_it_goes_back(
    tmp_path: Path,
) -> None:
    one = meter(tmp_path, echo=False)
    one.hear(even(SIGN_ON), 0)
    said(one)
    assert one.hear(even(ACK), 2000 * MS) == b""
    assert one.baud == 300, "until it speaks"
    one.speak(2250 * MS)
    assert one.baud == 9600
    said(one)
    assert one.baud == 300


def test_a_speed_that_it_did_not_propose_is_not_answered(tmp_path: Path) -> None:
    one = meter(tmp_path, proposes=2400)
    one.hear(even(SIGN_ON), 0)
    said(one)
    one.hear(even(ACK), 2000 * MS)
    assert one.next_ns() is None


def test_mode_a_sends_its_data_at_once_with_a_check_over_them(tmp_path: Path) -> None:
    one = meter(tmp_path, mode="A")
    one.hear(even(SIGN_ON), 0)
    text, _, _ = said(one)
    block = text[text.index(b"\x02") + 1 :]
    check = 0
    for code in block:
        check ^= code
    assert check == 0
    assert block.endswith(b"!\r\n\x03" + block[-1:])


def test_its_totals_only_grow_and_are_kept_without_power(tmp_path: Path) -> None:
    one = meter(tmp_path, mode="A")
    one.hear(even(SIGN_ON), 60_000 * MS)
    before = total(said(one)[0])
    one.act("vanish", 70_000 * MS)
    one.act("return", 90_000 * MS)
    one.hear(even(SIGN_ON), 90_000 * MS)
    assert one.spec.energy_from < before < total(said(one)[0])


def total(text: bytes) -> float:
    return float(text.split(b"1.8.0(")[1].split(b"*")[0])
