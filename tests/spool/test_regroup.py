"""The groups change while the spool runs: nothing is lost, whoever crashes or goes on meanwhile."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.errors import SpoolError, WireError
from edgenode.reading import Channel, Event, EventCode, Group, Groups, Sample
from edgenode.spool import Spool, journal
from edgenode.spool.core import Core
from edgenode.spool.database import Database
from edgenode.spool.regroup import Regroup
from edgenode.spool.rows import decode_row
from edgenode.wire import Birth, decode
from tests.spool.test_crashes import Crash, Faults
from tests.support.clock import FakeClock
from tests.support.spools import (
    AIR,
    GROUPS,
    METER,
    NODE,
    account,
    air,
    drained,
    feed,
    kill,
    opened,
    small,
    spool_path,
    unpacked,
)

SHADE = Group(3, (Channel("shade/temperature", "Cel", -1),))
COARSE = replace(METER, channels=(*METER.channels, Channel("meter/voltage", "V", 0)))
AFTER: Groups = {1: AIR, 2: COARSE, 3: SHADE}


@contextmanager
def running(spool: Spool) -> Iterator[None]:
    """Run the spool's thread, as a node does."""
    stop = threading.Event()
    thread = threading.Thread(target=spool.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        spool.wake()
        thread.join(10)
        assert not thread.is_alive()


def test_rows_before_are_of_the_old_schema_and_rows_after_of_the_new(
    tmp_path: Path, clock: FakeClock
) -> None:
    spool = opened(tmp_path, clock)
    old = spool.schema
    feed(spool, clock, 7, step=False)
    spool.append(2, clock.boot_ms(), Sample((5,)))
    with running(spool):
        spool.regroup(AFTER)
        assert spool.schema != old
        feed(spool, clock, 3, step=False)
        spool.append(2, clock.boot_ms(), Sample((6, 230)))
        spool.append(3, clock.boot_ms(), Sample((21.5,)))
    told = account(spool)
    assert not told.unaccounted()
    telemetry = [batch for batch in told.batches if batch.stream == 0]
    assert [batch.schema for batch in telemetry] == [old, spool.schema]
    assert [sorted({g.gid for g in batch.groups}) for batch in telemetry] == [[1, 2], [1, 2, 3]]
    assert sum(told.samples.values()) == 7 + 1 + 3 + 1 + 1


def test_a_group_that_is_gone_is_refused_with_its_events(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    with running(spool):
        spool.regroup({1: AIR})
        with pytest.raises(SpoolError, match="group 2"):
            spool.append(2, clock.boot_ms(), Sample((5,)))
        with pytest.raises(SpoolError, match="group 2"):
            spool.event(clock.boot_ms(), 2, Event(EventCode.SENSOR_LOST, value=1))
        spool.append(1, clock.boot_ms(), air(1))
    assert sum(account(spool).samples.values()) == 1


def test_a_row_of_a_door_that_was_shut_cannot_come_in_late(
    tmp_path: Path, clock: FakeClock
) -> None:
    """A poller may have been stopped between making its row and appending it."""
    spool = opened(tmp_path, clock)
    door = spool._doors[2]
    row = door.row(clock.boot_ms(), Sample((5,)))
    with running(spool):
        spool.regroup(AFTER)
    with pytest.raises(SpoolError, match="changed"):
        spool._window.append(0, row, door)
    spool.append(2, clock.boot_ms(), Sample((5, 230)))
    assert not account(spool).lost


def test_the_new_birth_can_be_published_and_the_old_one_as_long_as_its_batches_are_held(
    tmp_path: Path, clock: FakeClock
) -> None:
    spool = opened(tmp_path, clock, custody="broker")
    old = spool.schema
    feed(spool, clock, 3, step=False)
    with running(spool):
        spool.regroup(AFTER)
    birth = decode(spool.outbox.birth(spool.schema) or b"")
    assert isinstance(birth, Birth)
    assert set(birth.groups) == {1, 2, 3}
    assert spool.outbox.birth(old)
    spool.outbox.begin_session()
    for sealed in drained(spool.outbox):
        spool.outbox.broker_acked(sealed.stream, sealed.seq)
    with running(spool):
        spool.regroup(GROUPS | {3: SHADE})
        spool.regroup({1: AIR})
    assert len(list((spool_path(spool) / "births").iterdir())) <= 2


def test_the_same_groups_change_nothing(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    feed(spool, clock, 10)
    spool.regroup(dict(GROUPS))
    assert spool.stats().seals == 0


def test_groups_that_no_birth_can_describe_change_nothing(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock)
    bad = {1: Group(1, (Channel("x", "Cel", scale=999),))}
    with pytest.raises(WireError), running(spool):
        spool.regroup(bad)
    spool.append(1, clock.boot_ms(), air(1))


@pytest.mark.parametrize("where", ["commit", "seal", "learn"])
def test_a_disk_that_refuses_leaves_everything_as_it_was(
    where: str, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = opened(tmp_path, clock)
    feed(spool, clock, 7)
    feed(spool, clock, 1, step=False)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Core, where, refuse)
        with running(spool), pytest.raises(SpoolError, match="No space left"):
            spool.regroup(AFTER)
    spool.append(2, clock.boot_ms(), Sample((5,)))
    clock.advance(120_000)
    told = account(spool)
    assert sum(told.samples.values()) == 9
    assert not told.unaccounted()
    with running(spool):
        spool.regroup(AFTER)


def test_a_spool_that_does_not_get_to_it_in_time_never_does_it(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = opened(tmp_path, clock)
    before = spool.schema
    monkeypatch.setattr(Regroup.wait, "__defaults__", (0.01,))
    with pytest.raises(SpoolError, match="did not get to it"):
        spool.regroup(AFTER)
    spool.step()
    assert spool.schema == before
    spool.append(2, clock.boot_ms(), Sample((5,)))


def test_pollers_that_go_on_meanwhile_lose_and_double_nothing(tmp_path: Path) -> None:
    clock = SystemClock()
    spool = Spool.open(small(tmp_path, cap_bytes=8 << 20), NODE, GROUPS, clock, "board-1")
    stop, counts = threading.Event(), [0, 0]

    def poll(at: int, gid: int) -> None:
        while not stop.is_set() and counts[at] < 6_000:
            number = counts[at]
            values = (number / 100, at) if gid == 1 else (number,)
            spool.append(gid, number + 1, Sample(values))
            counts[at] += 1
            if number % 50 == 0:
                stop.wait(0.001)

    pollers = [
        threading.Thread(target=poll, args=(0, 1)),
        threading.Thread(target=poll, args=(1, 2)),
    ]
    with running(spool):
        for poller in pollers:
            poller.start()
        for n in range(8):
            extra = {10 + n: replace(SHADE, gid=10 + n)}
            spool.regroup(GROUPS | extra)
            spool.append(10 + n, n + 1, Sample((n,)))
        stop.set()
        for poller in pollers:
            poller.join(10)
    assert min(counts) > 100
    for keeper in spool._keepers:
        keeper.finish(clock.boot_ms())
    spool.outbox.begin_session()
    batches = [b for b in unpacked(spool.outbox, drained(spool.outbox)) if b.stream == 0]
    seen: dict[int, list[int]] = {}
    for batch in batches:
        for group in batch.groups:
            seen.setdefault(group.gid, []).extend(group.times)  # type: ignore[union-attr]
    assert sorted(seen[1]) == list(range(1, counts[0] + 1))
    assert sorted(seen[2]) == list(range(1, counts[1] + 1))
    assert all(seen[10 + n] == [n + 1] for n in range(8))
    assert len({batch.schema for batch in batches}) >= 8


@pytest.mark.parametrize("seed", range(60))
def test_a_crash_at_any_step_loses_nothing_committed_and_repeats_nothing(
    seed: int, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(seed)
    spool = opened(tmp_path, clock)
    feed(spool, clock, dice.randint(5, 70))
    feed(spool, clock, 2, step=False)
    committed = dict.fromkeys(_values(spool, clock), 1)
    faults = Faults(dice.randint(1, 24), dice)
    with monkeypatch.context() as patch, suppress(Crash):
        write, flush, attempt = journal._pwrite, os.fdatasync, Database._attempt
        patch.setattr(journal, "_pwrite", lambda *args: faults.write(write, *args))
        patch.setattr(os, "fdatasync", lambda fd: faults.flush(flush, fd))
        patch.setattr(Database, "_attempt", lambda *args: faults.attempt(attempt, *args))
        spool._change_groups(Regroup(NODE, AFTER), clock.boot_ms())
        spool.append(3, clock.boot_ms(), Sample((1.5,)))
        for _ in range(20):
            feed(spool, clock, 1, step=False)
            clock.advance(5_000)
            spool.step()
    _die(spool)
    clock.reboot()
    again = opened(tmp_path, clock, groups=dice.choice([GROUPS, AFTER]))
    again.append(1, clock.boot_ms() + 1, air(9_999))
    told = account(again)
    assert not told.unaccounted()
    assert max(told.samples.values()) == 1
    for value in committed:
        assert value in {(gid, values) for gid, _, values in told.samples}


def _values(spool: Spool, clock: FakeClock) -> list[tuple[int, tuple[int, ...]]]:
    """Commit what waits; return what every later start must still have."""
    clock.advance(5_000)
    spool.step()
    rows = [row for run in spool._core.unsealed if run.stream == 0 for row in run.rows]
    return [(row[0], tuple(row[2:])) for row in (decode_row(row.data) for row in rows)]


def _die(spool: Spool) -> None:
    connection: sqlite3.Connection = spool._core.store.database.connection
    if connection.in_transaction:
        connection.rollback()
    kill(spool)
