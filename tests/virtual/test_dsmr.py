"""The virtual P1 meter: when it speaks, that its totals only grow, and how it is heard."""

from __future__ import annotations

from pathlib import Path

from edgenode.virtual.dsmr import DsmrSpec, VirtualDSMR
from edgenode.virtual.truth import Truth

S = 1_000_000_000


def meter(tmp_path: Path, **spec: object) -> VirtualDSMR:
    return VirtualDSMR(DsmrSpec("p1", **spec), Truth(tmp_path / "truth"), 0)  # type: ignore[arg-type]


def total(telegram: bytes) -> float:
    lines = (line for line in telegram.split(b"\r\n") if b":1.8." in line)
    return sum(float(line.partition(b"(")[2].partition(b"*")[0]) for line in lines)


def test_version_5_speaks_each_second_and_version_4_each_ten(tmp_path: Path) -> None:
    assert meter(tmp_path).next_ns() == S
    slow = meter(tmp_path, version=4)
    assert slow.speak(9 * S) == b""
    assert slow.speak(10 * S).count(b"/ISk5") == 1


def test_its_totals_never_go_back(tmp_path: Path) -> None:
    one = meter(tmp_path)
    totals = [total(one.speak(at * S)) for at in range(1, 400, 7)]
    assert totals == sorted(totals)
    assert totals[-1] > totals[0]


def test_version_3_is_even_and_has_no_checksum(tmp_path: Path) -> None:
    one = meter(tmp_path, version=3)
    said = one.speak(10 * S)
    assert one.baud == 9600
    assert all(code.bit_count() % 2 == 0 for code in said)
    assert bytes(code & 0x7F for code in said).endswith(b"\r\n!\r\n")


def test_a_meter_that_hangs_is_silent_and_goes_on_counting(tmp_path: Path) -> None:
    one = meter(tmp_path)
    before = total(one.speak(S))
    one.act("hang", S)
    assert one.speak(300 * S) == b""
    one.act("return", 300 * S)
    assert total(one.speak(301 * S)) > before


def test_what_nobody_read_does_not_pile_up(tmp_path: Path) -> None:
    assert meter(tmp_path).speak(3600 * S).count(b"/ISk5") == 4
