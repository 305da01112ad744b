"""What a spool holds as one file: exported beside its daemon, salvaged without its tree."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from edgenode.errors import SpoolError, WireError
from edgenode.spool import Spool
from edgenode.spool.offline import export, salvage
from edgenode.wire import MAX_BYTES, Birth, decode
from edgenode.wire.sequence import split
from tests.support.clock import FakeClock
from tests.support.looks import PAGE, busy, digests, held, sent
from tests.support.spools import GROUPS, drained, feed, kill, opened, small, spool_path


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def test_an_export_holds_every_batch_and_its_birth_and_changes_nothing(
    room: Path, clock: FakeClock, tmp_path: Path
) -> None:
    spool = busy(room, clock)
    sent(spool, 20)
    spool.settle()
    wanted, before = held(spool), digests(room)
    result = export(room, tmp_path / "out.cbor")
    assert digests(room) == before
    with (tmp_path / "out.cbor").open("rb") as file:
        raw = list(split(file))
    first = decode(raw[0])
    assert isinstance(first, Birth)
    assert set(raw[1:]) == wanted
    assert (result.births, result.batches, result.damaged) == (1, len(wanted), 0)
    assert result.bytes == (tmp_path / "out.cbor").stat().st_size
    assert spool.outbox.unconfirmed() == 20
    assert len(drained(spool.outbox, live=True)) == len(wanted) - 20


def test_an_export_holds_the_birth_of_each_node_where_two_have_one_schema(
    room: Path, clock: FakeClock, tmp_path: Path
) -> None:
    for node in (b"a node", b"another"):
        kill(Spool.open(small(room), node, GROUPS, clock, "board-1"))
    export(room, tmp_path / "out.cbor")
    with (tmp_path / "out.cbor").open("rb") as file:
        births = [decode(raw) for raw in split(file)]
    assert {birth.node for birth in births} == {b"a node", b"another"}


def test_an_export_never_overwrites_and_leaves_nothing_behind_when_it_fails(
    room: Path, clock: FakeClock, tmp_path: Path
) -> None:
    kill(busy(room, clock, 2))
    out = tmp_path / "out.cbor"
    out.write_text("mine")
    with pytest.raises(SpoolError, match="exists already"):
        export(room, out)
    assert out.read_text() == "mine"
    with pytest.raises(SpoolError):
        export(tmp_path / "nowhere", tmp_path / "other.cbor")
    assert not (tmp_path / "other.cbor").exists()


def test_a_damaged_batch_is_left_out_and_counted(
    room: Path, clock: FakeClock, tmp_path: Path
) -> None:
    spool = busy(room, clock, 10)
    count = len(held(spool))
    spool._core.store.all("UPDATE batch SET data = x'00' WHERE id = 3")
    result = export(room, tmp_path / "out.cbor")
    assert (result.batches, result.damaged) == (count - 1, 1)


# --- salvage ---


def test_a_salvage_finds_what_no_tree_reaches_any_more_and_what_was_set_aside(
    room: Path, clock: FakeClock, tmp_path: Path
) -> None:
    first = busy(room, clock, 10)
    first._core.store.one("PRAGMA wal_checkpoint(TRUNCATE)")
    wanted = held(first)
    path = spool_path(first)
    kill(first)
    with (path / "store.db").open("r+b") as file:
        file.write(bytes(PAGE))
    again = opened(room, clock)  # sets the damaged store aside
    feed(again, clock, 130)
    wanted |= held(again)
    kill(again)
    with (path / "store.db").open("r+b") as file:
        file.write(bytes(PAGE))
    before = digests(room)
    assert export(room, tmp_path / "export.cbor").batches == 0
    result = salvage(room, tmp_path / "salvage.cbor")
    assert digests(room) == before
    with (tmp_path / "salvage.cbor").open("rb") as file:
        raw = list(split(file))
    assert wanted <= set(raw)
    assert len(raw) == len(set(raw)) == result.batches + result.births
    assert isinstance(decode(raw[0]), Birth)


def test_a_salvage_is_refused_while_a_daemon_runs(
    room: Path, clock: FakeClock, tmp_path: Path
) -> None:
    busy(room, clock, 1)
    with pytest.raises(SpoolError, match="stop it first"):
        salvage(room, tmp_path / "out.cbor")
    assert not (tmp_path / "out.cbor").exists()


def test_a_sequence_comes_back_message_by_message_whatever_the_reads_give(
    room: Path, clock: FakeClock, tmp_path: Path
) -> None:
    spool = busy(room, clock, 10)
    wanted = sorted(held(spool))

    class Dribble(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 1, 7))

    assert list(split(Dribble(b"".join(wanted)))) == wanted


@pytest.mark.parametrize("tail", [b"\xa1", b"\xa1\x00", b"\x00", b"\xff"])
def test_a_sequence_that_breaks_off_gives_what_came_before(
    room: Path, clock: FakeClock, tail: bytes
) -> None:
    (one, *_) = held(busy(room, clock, 2))
    messages = split(io.BytesIO(one + tail))
    assert next(messages) == one
    with pytest.raises(WireError):
        next(messages)


def test_an_item_larger_than_any_message_is_refused() -> None:
    huge = b"\xa1\x00\x5a" + (MAX_BYTES * 2).to_bytes(4, "big") + bytes(MAX_BYTES * 2)
    with pytest.raises(WireError, match="larger"):
        list(split(io.BytesIO(huge)))
