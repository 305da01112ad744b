"""The limits of the spool: of a batch, of memory, of the cap, of a disk that is full or worn."""

from __future__ import annotations

import errno
import math
import random
import sqlite3
from pathlib import Path

import pytest

from edgenode.errors import SpoolError
from edgenode.reading import Channel, Event, EventCode, Group, Kind, Quality, Sample, SpoolReason
from edgenode.spool import Spool, window
from edgenode.spool.database import Database
from edgenode.wire import MAX_WORK, LossReason, readings_in
from tests.support.clock import FakeClock
from tests.support.spools import account, feed, kill, opened


@pytest.fixture
def spool(tmp_path: Path, clock: FakeClock) -> Spool:
    spool = opened(tmp_path, clock)
    spool.outbox.begin_session()
    spool.step()
    return spool


def test_a_batch_never_passes_the_work_limit(tmp_path: Path, clock: FakeClock) -> None:
    wide = {7: Group(7, tuple(Channel(f"w/c{i}", "1") for i in range(250)))}
    spool = opened(tmp_path, clock, groups=wide, cap_bytes=8 << 20)
    for n in range(600):
        spool.append(7, clock.boot_ms(), Sample(tuple(float(n % 7 + i) for i in range(250))))
        clock.advance(1_000)
        spool.step()
    told = account(spool)
    assert sum(told.samples.values()) == 600
    assert max(readings_in(batch) for batch in told.batches) <= MAX_WORK


def test_rows_that_pack_badly_are_split_until_a_message_holds_them(
    tmp_path: Path, clock: FakeClock
) -> None:
    noisy = {7: Group(7, tuple(Channel(f"w/c{i}", "1", kind=Kind.FLOAT) for i in range(200)))}
    spool = opened(tmp_path, clock, groups=noisy, cap_bytes=16 << 20)
    spool.outbox.begin_session()
    for n in range(300):
        values = tuple(math.sin(n * 200 + i) for i in range(200))
        quality = tuple(Quality((n + i) % 3) for i in range(200))
        spool.append(7, clock.boot_ms(), Sample(values, quality))
        clock.advance(100)
    spool.step()
    told = account(spool)
    assert sum(told.samples.values()) == 300
    assert not told.lost


def test_a_full_memory_drops_the_oldest_telemetry_and_says_so(
    spool: Spool, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(spool, clock, 1)
    monkeypatch.setattr(window, "MAX_COST", 5_000)
    spool.event(clock.boot_ms(), 1, Event(EventCode.STATE_CHANGED, 0, 5))
    feed(spool, clock, 100, step=False)
    monkeypatch.undo()
    assert spool.stats().overflow_readings > 100
    told = account(spool)
    assert not told.unaccounted()
    assert len(told.samples) + spool.stats().overflow_readings // 2 == 101
    reasons = {loss.reason for batch in told.batches for loss in batch.losses}
    assert reasons == {LossReason.RING_OVERFLOW}
    assert [e.value for batch in told.batches for e in batch.events] == [5]


def test_eviction_takes_the_oldest_telemetry_and_spares_alarms(
    tmp_path: Path, clock: FakeClock
) -> None:
    noisy = {1: Group(1, tuple(Channel(f"a/c{i}", "1") for i in range(100)))}
    spool, dice = opened(tmp_path, clock, groups=noisy), random.Random(1)
    for n in range(60):
        spool.event(clock.boot_ms(), 1, Event(EventCode.TAMPER, value=n))
        for k in range(100):
            values = tuple(float(dice.randrange(1 << 20)) for _ in range(100))
            spool.append(1, clock.boot_ms() + k, Sample(values))
        clock.advance(700_000)
        spool.step()
    stats = spool.stats()
    assert stats.evicted_readings > 100_000
    assert stats.used_bytes <= stats.cap_bytes
    told = account(spool)
    assert len([e for b in told.batches for e in b.events if e.code == EventCode.TAMPER]) == 60
    assert not told.unaccounted()
    lost = [loss for batch in told.batches for loss in batch.losses if loss.stream == 0]
    assert {loss.reason for loss in lost} == {LossReason.DISK_FULL}
    assert not told.unaccounted(stream=1)


def test_a_disk_that_refuses_degrades_the_spool_until_it_takes_again(
    spool: Spool, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(spool, clock, 6)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(spool._core.journal, "commit", refuse)
        feed(spool, clock, 30)
        assert "No space left" in spool.stats().degraded
    feed(spool, clock, 70)
    assert spool.stats().degraded == ""
    told = account(spool)
    assert len(told.samples) >= 105
    events = [(e.code, e.value) for batch in told.batches for e in batch.events]
    assert (EventCode.SPOOL_DEGRADED, SpoolReason.DISK_FULL) in events
    assert (EventCode.SPOOL_RECOVERED, SpoolReason.DISK_FULL) in events


def test_a_full_store_degrades_the_spool_until_there_is_room(
    spool: Spool, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Database, "_attempt", full)
        feed(spool, clock, 400)
        assert "full" in spool.stats().degraded
    feed(spool, clock, 70)
    told = account(spool)
    assert len(told.samples) == 470
    assert not told.unaccounted()


def test_a_journal_that_holds_too_much_unsealed_makes_the_spool_seal_early(
    tmp_path: Path, clock: FakeClock
) -> None:
    spool = opened(tmp_path, clock, commit_interval_ms=1_000)
    feed(spool, clock, 400)
    assert spool.stats().seals == 1
    kill(spool)
    assert len(account(opened(tmp_path, clock)).samples) == 400


def test_a_store_found_damaged_while_in_use_is_replaced(spool: Spool, clock: FakeClock) -> None:
    feed(spool, clock, 75)
    run = spool._core.store.database.connection
    run.execute("UPDATE batch SET data = x'00' WHERE id = 1")
    assert spool.outbox.take(True, 5) == []
    clock.advance(5_000)
    spool.step()
    told = account(spool)
    assert not told.unaccounted()
    assert LossReason.CORRUPT in {loss.reason for batch in told.batches for loss in batch.losses}
    assert spool.stats().quarantined


def test_a_grown_store_has_its_full_size_and_still_takes_batches(
    tmp_path: Path, clock: FakeClock
) -> None:
    spool = opened(tmp_path, clock, pregrow=True, cap_bytes=4 << 20)
    spool.outbox.begin_session()
    feed(spool, clock, 130)
    for _ in range(200):
        clock.advance(250)
        spool.step()
    assert spool._core.store.database.one("PRAGMA page_count") > 3_400
    assert spool.stats().used_bytes < 1 << 19
    assert spool.stats().evicted_readings == 0
    assert len(account(spool).samples) == 130
    kill(spool)


def test_more_totals_than_a_block_can_carry_are_refused(spool: Spool) -> None:
    for n in range(64):
        spool.set_total(f"meter/{n}", n, 0)
    with pytest.raises(SpoolError, match="64 channels"):
        spool.set_total("meter/64", 64, 0)


def test_many_totals_leave_room_for_samples(spool: Spool, clock: FakeClock) -> None:
    for n in range(64):
        spool.set_total(f"meter/{n}", n, 0)
    feed(spool, clock, 100)
    kill(spool)
    again = opened(spool.options.directory, clock)
    total = again.total("meter/63")
    assert total is not None
    assert total.value == 63
    assert len(account(again).samples) == 100
