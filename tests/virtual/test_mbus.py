"""Virtual M-Bus meters: several on one cable, repeats, and what they keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgenode.virtual.mbus import MbusSpec, VirtualMBus
from edgenode.virtual.truth import Truth

S = 1_000_000_000
NKE, NEWS, NEXT = (bytes.fromhex(one) for one in ("1040014116", "107b017c16", "105b015c16"))


def meter(tmp_path: Path, **spec: Any) -> VirtualMBus:
    return VirtualMBus(MbusSpec("m", **spec), Truth(tmp_path / "truth"), 0)


def test_a_reset_is_acknowledged_and_a_request_answered_by_a_whole_frame(tmp_path: Path) -> None:
    one = meter(tmp_path)
    assert one.hear(NKE, S) == b"\xe5"
    frame = one.hear(NEWS, 2 * S)
    assert frame[0] == frame[3] == 0x68
    assert len(frame) == frame[1] + 6
    assert sum(frame[4:-2]) % 256 == frame[-2]


def test_without_a_toggled_bit_it_says_the_same_telegram_again(tmp_path: Path) -> None:
    one = meter(tmp_path, telegrams=2)
    one.hear(NKE, S)
    first, again, second = (one.hear(asked, 2 * S) for asked in (NEWS, NEWS, NEXT))
    assert first == again != second
    assert first[-3] == 0x1F


def test_it_is_silent_for_what_is_damaged_or_meant_for_another(tmp_path: Path) -> None:
    one = meter(tmp_path, address=2)
    for n, asked in enumerate((NKE, b"\x10\x40\x02\x43\x16", b"\x10\x40\x02\x42\x17", b"\x10" * 9)):
        assert one.hear(asked, (n + 1) * S) == b"", asked
    assert one.hear(bytes.fromhex("10 40 fe 3e 16"), 9 * S) == b"\xe5", "254 is for everybody"


def test_a_request_in_pieces_is_heard_and_a_torn_one_forgotten(tmp_path: Path) -> None:
    one = meter(tmp_path)
    assert one.hear(NKE[:2], S) == b""
    assert one.hear(NKE[2:], S + 10) == b"\xe5"
    assert one.hear(NKE[:2], 2 * S) == b""
    assert one.hear(NKE, 3 * S) == b"\xe5"


def test_its_totals_only_grow(tmp_path: Path) -> None:
    one = meter(tmp_path, medium="water")
    litres = [int.from_bytes(one.hear(NEWS, at * S)[27:31], "little") for at in range(1, 90, 9)]
    assert litres == sorted(litres)
    assert litres[0] < litres[-1]


def test_one_that_hangs_is_silent(tmp_path: Path) -> None:
    one = meter(tmp_path)
    one.act("hang", 0)
    assert one.hear(NKE, S) == b""
    one.act("return", S)
    assert one.hear(NKE, 2 * S) == b"\xe5"
