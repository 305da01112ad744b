"""At boot the clock is stepped forward to what is certain, and never back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edgenode.cli import main
from edgenode.errors import NodeError
from edgenode.forward import BELIEVED_MS, DAY_MS, believed_ms, built_ms, forward, forwarded
from edgenode.spool import last_utc_ms
from edgenode.spool.block import BLOCK, decode_block
from tests.support.clock import FakeClock
from tests.support.spools import feed, opened


class FakeWall:
    """A wall clock that somebody may set, or nobody."""

    def __init__(self, utc_ms: int, *, allowed: bool = True) -> None:
        self.now = utc_ms
        self._allowed = allowed

    def utc_ms(self) -> int:
        return self.now

    def put(self, utc_ms: int) -> None:
        if not self._allowed:
            raise PermissionError
        self.now = utc_ms


LOST = DAY_MS  # 1970: what a computer without a clock begins with


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "run" / "forwarded"


def test_a_clock_that_lost_its_power_gets_the_last_time_in_the_spool(mark: Path) -> None:
    wall, told = FakeWall(LOST), built_ms() + 30 * DAY_MS
    assert forward(told, wall, mark) == (LOST, told)
    assert wall.now == told
    assert forwarded(mark)


@pytest.mark.parametrize("told", [None, 0, LOST, BELIEVED_MS])
def test_without_a_later_time_in_a_spool_it_gets_the_day_of_the_build(
    told: int | None, mark: Path
) -> None:
    wall = FakeWall(LOST)
    forward(told, wall, mark)
    assert wall.now == built_ms()


def test_a_time_ten_years_after_the_build_is_not_believed(mark: Path) -> None:
    wall = FakeWall(LOST)
    forward(believed_ms() + 1, wall, mark)
    assert wall.now == built_ms()
    forward(believed_ms(), wall, mark)
    assert wall.now == believed_ms()


def test_a_clock_that_is_later_is_left_alone(mark: Path) -> None:
    wall = FakeWall(built_ms() + 2 * DAY_MS)
    assert forward(built_ms() + DAY_MS, wall, mark).after == wall.now == built_ms() + 2 * DAY_MS
    assert not forwarded(mark)


def test_who_may_not_set_the_clock_is_told_what_it_takes(mark: Path) -> None:
    with pytest.raises(NodeError, match=r"CAP_SYS_TIME.*sudo"):
        forward(None, FakeWall(LOST, allowed=False), mark)
    assert not forwarded(mark)  # or somebody who vouches for the clock were not believed


def test_a_clock_is_not_stepped_where_nobody_could_be_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    wall = FakeWall(LOST)
    with pytest.raises(NodeError, match="the clock was left alone"):
        forward(None, wall, tmp_path / "file" / "forwarded")
    assert wall.now == LOST


def spool_of(directory: Path, clock: FakeClock) -> Path:
    """Leave a spool that was used for some seconds; return its journal."""
    spool = opened(directory, clock)
    feed(spool, clock, 30)
    spool.close()
    (journal,) = directory.glob("*/journal")
    return journal


def times(journal: Path) -> dict[int, int]:
    """Return the POSIX ms of each block of a journal, by where it begins."""
    data = journal.read_bytes()
    blocks = {at: decode_block(data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)}
    return {at: block.status.utc for at, block in blocks.items() if block}


def test_the_spool_tells_its_last_time_and_is_not_touched(tmp_path: Path) -> None:
    clock = FakeClock()
    journal = spool_of(tmp_path, clock)
    before = (journal.read_bytes(), journal.stat().st_mtime_ns)
    assert last_utc_ms(tmp_path) == clock.utc_ms()
    assert (journal.read_bytes(), journal.stat().st_mtime_ns) == before


def test_a_damaged_block_costs_its_own_time_and_no_other(tmp_path: Path) -> None:
    journal = spool_of(tmp_path, FakeClock())
    *_, (before, _), (_, newest) = sorted((utc, at) for at, utc in times(journal).items())
    data = bytearray(journal.read_bytes())
    data[newest + 100] ^= 1
    journal.write_bytes(data)
    assert last_utc_ms(tmp_path) == before


@pytest.mark.parametrize("data", [b"", b"torn", bytes(1 << 20), os.urandom(1 << 20)])
def test_a_spool_that_cannot_be_read_tells_nothing(tmp_path: Path, data: bytes) -> None:
    spool_of(tmp_path, FakeClock()).write_bytes(data)
    assert last_utc_ms(tmp_path) is None
    assert last_utc_ms(tmp_path / "there is none") is None


def test_a_time_that_is_not_believed_hides_none_that_is(tmp_path: Path) -> None:
    sane, forged = FakeClock(), FakeClock(utc_ms=4_070_908_800_000)  # 2099
    spool_of(tmp_path / "spool", sane)
    other = spool_of(tmp_path / "other", forged).parent
    other.rename(tmp_path / "spool" / other.name)
    assert last_utc_ms(tmp_path / "spool") == forged.utc_ms()
    assert last_utc_ms(tmp_path / "spool", sane.utc_ms() + DAY_MS) == sane.utc_ms()


def test_the_verb_tells_what_is_known_and_sets_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = FakeClock(utc_ms=built_ms() + DAY_MS)
    spool_of(tmp_path / "spool", clock)
    assert main(["clock", "--state", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["spool_utc_ms"] == clock.utc_ms()
    assert told["built_utc_ms"] == built_ms()
    assert (told["stepped_ms"], told["forwarded"]) == (None, False)
    assert main(["clock", "--state", str(tmp_path / "none")]) == 0
    assert "none that can be read" in capsys.readouterr().out
