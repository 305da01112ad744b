"""The grade of each driver, given by trying what its proof claims.

"oracle" is given where somebody else's decoder was really run on FRAMES frames or more and
agreed; a driver may not declare what is not given here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from edgenode.driver import Grade, find
from edgenode.errors import DriverError
from tests.drivers.proofs import all_proofs
from tests.support.beds import Bed, Wire
from tests.support.mutants import mutated
from tests.support.proofs import (
    FRAMES,
    MUTANTS,
    Agreement,
    Captures,
    Damage,
    KernelOracle,
    Nobody,
    Oracle,
    Proof,
)

PROOFS = all_proofs()
NAMES = sorted(PROOFS)
ROOT = Path(__file__).parents[2]
LISTENING_S = 30.0  # a scan hears out even a meter that speaks each ten seconds


@contextmanager
def watched(package: str) -> Iterator[list[int]]:
    """Count the calls into the code of an installed package; fails where it is not installed."""
    own = {str(path.locate()) for path in files(package) or () if path.suffix == ".py"}
    assert own, f"{package} has no files: is it installed?"
    calls = [0]

    def look(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename in own:
            calls[0] += 1

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def compared(agreements: Iterable[Agreement]) -> int:
    """Return how many different frames were compared; each must agree."""
    seen = set()
    for one in agreements:
        assert len(one.ours) == len(one.theirs) == len(one.steps)
        assert any(value is not None for value in one.ours), one.frame.hex(" ")
        for ours, theirs, step in zip(one.ours, one.theirs, one.steps, strict=True):
            assert (ours is None) == (theirs is None), one
            assert ours is None or ours == pytest.approx(theirs, abs=step + 1e-9, rel=0), one
        seen.add(one.frame)
    return len(seen)


def grade(proof: Proof) -> Grade:
    """Return the grade that what a proof names deserves, each part of which is tried below."""
    kinds = {type(one) for one in proof.against}
    if kinds & {Oracle, KernelOracle}:
        return "oracle"
    return "captures" if Captures in kinds else "unverified"


def of_kind(kind: type[Any]) -> list[tuple[str, int]]:
    """Return the driver's name and the place of each proof of a kind."""
    return [
        (name, place)
        for name in NAMES
        for place, one in enumerate(PROOFS[name].against)
        if isinstance(one, kind)
    ]


@pytest.mark.parametrize(("name", "place"), of_kind(Oracle))
def test_an_oracle_that_shares_no_code_agrees(name: str, place: int) -> None:
    oracle = PROOFS[name].against[place]
    assert isinstance(oracle, Oracle)
    with watched(oracle.package) as calls:
        frames = compared(oracle.agreements())
    assert frames >= FRAMES
    assert calls[0] >= FRAMES, f"{oracle.package} was hardly run"
    assert oracle.module in sys.modules


@pytest.mark.parametrize(("name", "place"), of_kind(Captures))
def test_what_was_recorded_from_real_parts_is_read_as_it_was_published(
    name: str, place: int
) -> None:
    captures = PROOFS[name].against[place]
    assert isinstance(captures, Captures)
    assert compared(captures.agreements()) > 0


@pytest.mark.parametrize(("name", "place"), of_kind(KernelOracle))
def test_the_lab_holds_a_driver_of_the_kernel_against_it(name: str, place: int) -> None:
    oracle = PROOFS[name].against[place]
    assert isinstance(oracle, KernelOracle)
    text = (ROOT / oracle.test).read_text(encoding="utf-8")
    assert f'"{name}"' in text
    assert oracle.driver in text


@pytest.mark.parametrize("name", NAMES)
class TestEveryDriver:
    def test_declares_the_grade_that_it_is_given(self, name: str) -> None:
        assert find(name).grade == grade(PROOFS[name])

    def test_says_whom_it_was_held_against_or_where_one_was_looked_for(self, name: str) -> None:
        against = PROOFS[name].against
        assert against
        assert all(len(one.searched) > 20 for one in against if isinstance(one, Nobody))

    def test_gives_known_answers_that_every_mutant_gets_wrong(self, name: str) -> None:
        proof = PROOFS[name]
        assert proof.known
        assert sum(len(mutants.changes) for mutants in proof.mutants) >= MUTANTS
        for mutants in proof.mutants:
            assert mutants.holds(mutants.module)
            for old, new in mutants.changes:
                assert not mutants.holds(mutated(mutants.module, old, new)), f"{new!r} lives"

    def test_refuses_a_frame_with_any_one_bit_flipped(self, name: str) -> None:
        damage = PROOFS[name].damage
        blind = damage if isinstance(damage, str) else damage.blind
        if isinstance(damage, str) or blind:
            assert len(blind) > 20, "why a flipped bit cannot be noticed"
            return
        frame = damage.frame()
        assert decoded(damage, [frame]), "the whole frame is taken"
        free = {at for unguarded in damage.unguarded for at in unguarded}
        for bit in range(8 * len(frame)):
            if bit // 8 in free:
                continue
            flipped = bytearray(frame)
            flipped[bit // 8] ^= 1 << bit % 8
            assert not decoded(damage, [bytes(flipped)]), f"bit {bit} of {frame.hex(' ')}"

    def test_takes_a_stream_that_is_cut_anywhere(self, name: str) -> None:
        damage = PROOFS[name].damage
        if isinstance(damage, str) or not damage.pieces:
            assert not hasattr(find(name), "feed") or find(name).wire != "serial"
            return
        frame = damage.frame()
        whole = decoded(damage, [frame])
        for at in range(1, len(frame)):
            assert decoded(damage, [frame[:at], frame[at:]]) == whole
        assert decoded(damage, [bytes((byte,)) for byte in frame]) == whole
        assert decoded(damage, [frame[len(frame) // 2 :] + frame]) == whole, "begun in the middle"


def decoded(damage: Damage, pieces: list[bytes]) -> list[Any]:
    """Return what was made of the pieces; nothing where they were refused."""
    try:
        return damage.decoded(pieces)
    except DriverError:
        return []


def heard(wire: Wire, bed: Bed) -> bytes:
    """Return what a part says by itself within the time that a scan listens."""
    until_ns = bed.now_ns + int(LISTENING_S * 1e9)
    said = b""
    while (due_ns := wire.next_ns()) is not None and due_ns <= until_ns:
        bed.now_ns = due_ns
        wire.stirs()
        said += wire.arrived()  # type: ignore[attr-defined]
    return said


def seen_as(name: str, other: str) -> str:
    """Return what the driver `name` takes the part of `other` for; "" for nothing it knows."""
    bed = Bed()
    wire = PROOFS[other].part(bed)
    driver: Any = find(name)
    try:
        found = driver.recognise(heard(wire, bed)) if driver.wire == "serial" else None
        if driver.shares:
            found = driver.identify_at(wire, driver.addresses[0])
        found = found or driver.identify(wire, bed.sleep)
    except DriverError:
        return ""
    return found.words if found else ""


def neighbours(name: str) -> list[str]:
    """Return the drivers whose parts may be taken for this one's: all that a scan may meet."""
    mine: Any = find(name)
    others = [other for other in NAMES if find(other).wire == mine.wire and other != name]
    if mine.wire == "i2c":
        return [o for o in others if set(find(o).addresses) & set(mine.addresses)]
    return others if mine.wire == "serial" else []


IDENTIFIED = [name for name in NAMES if PROOFS[name].found]


@pytest.mark.parametrize("name", IDENTIFIED)
def test_a_scan_names_the_part(name: str) -> None:
    assert re.search(PROOFS[name].found, seen_as(name, name))


@pytest.mark.parametrize("name", IDENTIFIED)
def test_a_scan_takes_no_other_part_for_it(name: str) -> None:
    taken = {other: words for other in neighbours(name) if (words := seen_as(name, other))}
    alike = {o for o in taken if PROOFS[o].found and re.search(PROOFS[o].found, taken[o])}
    same = {o for o in taken if chip(o) is chip(name)}  # what is wired to it nobody sees
    assert not set(taken) - alike - same, taken


def chip(name: str) -> type[Any]:
    """Return what really answers for a part, such as the converter behind which its cells are."""
    return type(PROOFS[name].part(Bed()).instrument)
