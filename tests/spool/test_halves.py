"""Journal and store each carry what the other needs: either may be lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

from edgenode.reading import Channel, EventCode, Group, SpoolReason
from edgenode.spool.block import BLOCK
from edgenode.wire import LossReason
from tests.support.clock import FakeClock
from tests.support.spools import (
    GROUPS,
    account,
    air,
    drained,
    feed,
    kill,
    opened,
    spool_path,
)


def test_old_rows_can_be_sealed_when_the_store_with_their_birth_is_lost(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock)
    feed(first, clock, 10)
    kill(first)
    for file in spool_path(first).glob("store.db*"):
        file.unlink()
    again = opened(tmp_path, clock, groups={1: Group(1, (Channel("new/thing", "1"),))})
    assert len(account(again).samples) == 10


def test_a_journal_lost_alone_keeps_the_id_and_reuses_nothing(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock)
    first.outbox.begin_session()
    feed(first, clock, 130)
    sent = {(one.stream, one.seq): one.data for one in drained(first.outbox, live=True)}
    kill(first)
    (spool_path(first) / "journal").write_bytes(bytes(257 * BLOCK))
    clock.reboot()
    again = opened(tmp_path, clock)
    assert again.id == first.id
    feed(again, clock, 70)
    result = account(again)
    assert not result.unaccounted()
    assert {(b.stream, b.seq) for b in result.batches} > set(sent)
    events = [event for batch in result.batches for event in batch.events]
    assert (EventCode.SPOOL_DEGRADED, SpoolReason.JOURNAL_LOST) in [
        (e.code, e.value) for e in events
    ]


def test_a_store_lost_alone_keeps_the_id_and_tells_exactly_what_is_gone(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock)
    first.outbox.begin_session()
    feed(first, clock, 75)
    assert [one.seq for one in drained(first.outbox, live=True)] == [1]
    kill(first)
    for file in spool_path(first).glob("store.db*"):
        file.unlink()
    again = opened(tmp_path, clock)
    assert again.id == first.id
    feed(again, clock, 70)
    told = [batch for batch in account(again).batches if batch.stream == 0]
    assert told[0].seq == 2
    (loss,) = told[0].losses
    assert (loss.r0, loss.reason, loss.seq, loss.nseq) == (0, LossReason.CORRUPT, 1, 1)
    assert loss.n == told[0].r0


def test_both_halves_lost_is_a_new_id_with_the_old_files_in_quarantine(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock)
    feed(first, clock, 10)
    kill(first)
    for file in spool_path(first).glob("store.db*"):
        file.unlink()
    (spool_path(first) / "journal").write_bytes(os.urandom(257 * BLOCK))
    again = opened(tmp_path, clock)
    assert again.id != first.id
    assert again.stats().quarantined[0][1] == "journal and store are both lost"


def test_a_store_that_is_no_database_is_set_aside(tmp_path: Path, clock: FakeClock) -> None:
    first = opened(tmp_path, clock)
    feed(first, clock, 10)
    kill(first)
    (spool_path(first) / "store.db").write_bytes(b"nonsense " * 1000)
    again = opened(tmp_path, clock)
    assert again.id == first.id
    assert len(account(again).samples) == 10
    assert "cannot be read" in again.stats().quarantined[0][1]


def test_a_rebuild_that_was_cut_off_is_finished_at_the_next_start(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock)
    first.outbox.begin_session()
    feed(first, clock, 70)
    kill(first)
    path = spool_path(first)
    (path / "store.db").rename(path / "damaged.db")
    (path / "fresh.db").write_bytes(b"half made")
    again = opened(tmp_path, clock)
    assert len(account(again).samples) == 70
    assert not (path / "damaged.db").exists()


def test_totals_survive_in_the_journal_and_in_the_store(tmp_path: Path, clock: FakeClock) -> None:
    first = opened(tmp_path, clock)
    first.set_total("meter/energy", 41, clock.boot_ms())
    feed(first, clock, 1)
    assert first.total("meter/energy") is not None
    first.set_total("meter/energy", 42, clock.boot_ms())
    clock.advance(5_000)
    first.step()
    copy = tmp_path.with_name(f"{tmp_path.name}-copy")
    shutil.copytree(tmp_path, copy)
    kill(first)
    again = opened(copy, clock)
    total = again.total("meter/energy")
    assert total is not None
    assert (total.value, total.epoch) == (42, first.epoch)
    again.close()
    (spool_path(again) / "journal").unlink()
    third = opened(copy, clock)
    assert third.total("meter/energy") == total


def test_a_store_is_opened_without_losing_a_log_that_another_left(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = opened(tmp_path, clock, groups=GROUPS)
    feed(first, clock, 10)
    first.append(1, clock.boot_ms(), air(1))
    kill(first)
    (path,) = spool_path(first).glob("store.db")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE stranger (x)")
    connection.close()
    assert len(account(opened(tmp_path, clock)).samples) == 10
