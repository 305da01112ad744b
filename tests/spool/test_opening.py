"""Whose spool a directory is: ids, epochs, boards, formats, and who may open it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edgenode.errors import SpoolError
from edgenode.reading import Channel, EventCode, Group, Sample, SpoolReason
from edgenode.spool import Spool, last_utc_ms, opening
from edgenode.spool.model import Left
from tests.support.clock import FakeClock
from tests.support.spools import (
    GROUPS,
    NODE,
    account,
    drained,
    feed,
    kill,
    opened,
    small,
    spool_path,
    unpacked,
)


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}


def test_a_restart_within_one_boot_keeps_id_and_epoch_and_goes_on_counting(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock)
    feed(first, clock, 10)
    kill(first)
    again = opened(tmp_path, clock)
    assert (again.id, again.epoch) == (first.id, first.epoch)
    feed(again, clock, 10)
    result = account(again)
    assert not result.unaccounted()
    assert [batch.r0 for batch in result.batches if batch.stream == 0] == [0]


def test_a_new_boot_is_a_new_epoch_and_seals_the_old_rows_under_the_old_one(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock)
    feed(first, clock, 10)
    kill(first)
    clock.reboot()
    again = opened(tmp_path, clock)
    assert (again.id, again.epoch) == (first.id, first.epoch + 1)
    feed(again, clock, 6)
    told = [batch for batch in account(again).batches if batch.stream == 0]
    assert [(batch.epoch, batch.r0) for batch in told] == [(first.epoch, 0), (again.epoch, 20)]


def test_a_new_epoch_says_when_the_one_before_ended_until_the_city_knows(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock)
    feed(first, clock, 10)
    ended = clock.utc_ms()
    kill(first)
    clock.reboot()
    clock.source = 0
    again = opened(tmp_path, clock)
    again.outbox.begin_session()
    feed(again, clock, 70)
    told = unpacked(again.outbox, drained(again.outbox, live=True))
    (previous,) = [b.previous for b in told if b.epoch == again.epoch and b.stream == 0]
    assert previous is not None
    assert previous.epoch == first.epoch
    assert abs(previous.utc - ended) <= 5_000
    assert next(b.anchors for b in told if b.epoch == first.epoch)[0].utc <= ended


def test_rows_of_an_older_schema_are_sealed_first_and_under_that_schema(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock)
    feed(first, clock, 10)
    kill(first)
    other = {1: Group(1, (Channel("new/thing", "1"),))}
    again = opened(tmp_path, clock, groups=other)
    again.append(1, clock.boot_ms(), Sample((5,)))
    told = [batch for batch in account(again).batches if batch.stream == 0]
    assert [(batch.schema, batch.r0) for batch in told] == [(first.schema, 0), (again.schema, 20)]


def test_on_another_board_the_old_spool_drains_and_a_new_one_begins(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock, board="board-1")
    feed(first, clock, 70)
    kill(first)
    clock.reboot()
    again = opened(tmp_path, clock, board="board-2")
    assert again.id != first.id
    assert again.epoch == first.epoch + 1
    assert [drain.spool for drain in again.drains] == [first.id]
    feed(again, clock, 6)
    result = account(again)
    assert {batch.spool for batch in result.batches} == {first.id, again.id}
    assert len(result.samples) == 76
    assert again.drains[0].birth(first.schema)


def test_a_spool_that_has_drained_is_gone_after_the_next_start(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock, board="board-1")
    feed(first, clock, 10)
    kill(first)
    again = opened(tmp_path, clock, board="board-2", custody="broker")
    again.step()
    (drain,) = again.drains
    drain.begin_session()
    for one in drained(drain):
        drain.broker_acked(one.stream, one.seq)
    again.close()
    third = opened(tmp_path, clock, board="board-2")
    assert third.drains == []
    assert not (tmp_path / first.id.hex()).exists()


def test_a_board_that_becomes_known_keeps_the_spool(tmp_path: Path, clock: FakeClock) -> None:
    first = opened(tmp_path, clock, board="")
    feed(first, clock, 6)
    kill(first)
    assert opened(tmp_path, clock, board="board-1").id == first.id


def test_a_second_process_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    opened(tmp_path, clock)
    with pytest.raises(SpoolError, match="another process"):
        opened(tmp_path, clock)


def test_files_of_a_newer_format_are_left_untouched_and_a_spool_begun_beside_them(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("edgenode.spool.block.FORMAT", 2)
        patch.setattr("edgenode.spool.journal.FORMAT", 2)
        first = opened(tmp_path, clock)
        feed(first, clock, 6)
        kill(first)
    path = spool_path(first)
    before = contents(path)
    again = opened(tmp_path, clock)
    feed(again, clock, 6)
    assert again.id != first.id
    assert contents(path) == before


def test_another_nodes_spool_is_left_untouched_until_that_node_is_back(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock)
    feed(first, clock, 6)
    kill(first)
    path = spool_path(first)
    before = contents(path)
    other = Spool.open(small(tmp_path), b"another!", GROUPS, clock, "board-1")
    feed(other, clock, 6)
    assert {batch.node for batch in account(other).batches} == {b"another!"}
    assert contents(path) == before
    (left,) = other.stats().left
    assert left == Left(str(path), NODE.hex(), sum(map(len, before.values())))
    kill(other)
    again = opened(tmp_path, clock)
    assert again.id == first.id
    assert not account(again).unaccounted()
    assert [one.node for one in again.stats().left] == [b"another!".hex()]


def test_a_spool_that_was_only_created_is_no_trouble(tmp_path: Path, clock: FakeClock) -> None:
    kill(opened(tmp_path, clock))
    again = opened(tmp_path, clock)
    again.step()
    assert again.stats().quarantined == ()
    assert len(list(tmp_path.iterdir())) == 1


def test_without_a_usable_disk_the_spool_lives_in_memory_and_says_so(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(opening, "examine", refuse)
    spool = opened(tmp_path, clock)
    spool.outbox.begin_session()
    assert "Read-only" in spool.stats().degraded
    feed(spool, clock, 130)
    told = unpacked(spool.outbox, drained(spool.outbox, live=True))
    assert sum(batch.stream == 0 for batch in told) == 2
    assert (EventCode.SPOOL_DEGRADED, SpoolReason.READ_ONLY) in [
        (event.code, event.value) for batch in told for event in batch.events
    ]
    spool.close()


@pytest.mark.root
def test_a_read_only_file_system_is_no_reason_not_to_start(
    tmp_path: Path, clock: FakeClock
) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", str(tmp_path)], check=True)
    try:
        spool = opened(tmp_path / "spool", clock)
        feed(spool, clock, 10)
        assert spool.stats().degraded
        spool.close()
        clock.reboot()
        spool = opened(tmp_path, clock)
        feed(spool, clock, 10)
        assert spool.stats().degraded
        spool.close()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_the_latest_time_of_a_directory_can_be_read_beside_a_running_spool(
    tmp_path: Path, clock: FakeClock
) -> None:
    assert last_utc_ms(tmp_path) is None
    spool = opened(tmp_path, clock)
    feed(spool, clock, 20)
    latest = last_utc_ms(tmp_path)
    assert latest is not None
    assert clock.utc_ms() - 5_000 <= latest <= clock.utc_ms()


def test_the_epochs_of_a_new_card_do_not_repeat_those_of_the_old(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path / "old", clock)
    clock.reboot(off_ms=3_600_000)
    second = opened(tmp_path / "new", clock)
    assert second.epoch > first.epoch
