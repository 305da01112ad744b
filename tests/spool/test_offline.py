"""A spool's files, looked at, checked and copied out; nothing in them ever changes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edgenode.errors import SpoolError
from edgenode.spool.block import BLOCK
from edgenode.spool.checksum import row_crc
from edgenode.spool.journal import RING
from edgenode.spool.offline import survey, verify
from edgenode.spool.tree import Tree
from tests.support.clock import FakeClock
from tests.support.looks import PAGE, busy, digests, sent
from tests.support.spools import feed, kill, spool_path


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "spool"


# --- the tree ---


@pytest.mark.parametrize("running", [True, False])
def test_the_tree_shows_what_sqlite_shows_beside_a_daemon_and_after_it(
    room: Path, clock: FakeClock, *, running: bool
) -> None:
    spool = busy(room, clock)
    sent(spool, 20)
    spool.settle()
    store = spool._core.store
    wanted = {
        table: store.all(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608 - own names
        for table in ("meta", "batch", "custody", "birth")
    }
    if not running:
        kill(spool)
    with Tree(spool_path(spool) / "store.db") as tree:
        for table, rows in wanted.items():
            seen = list(tree.rows(table))
            assert [row.columns for row in seen] == [row[:-1] for row in rows]
            assert all(row.sound for row in seen)
        assert not tree.faults
        assert tree.steady


def test_a_store_that_is_written_back_meanwhile_is_noticed(room: Path, clock: FakeClock) -> None:
    spool = busy(room, clock, 3)
    with Tree(spool_path(spool) / "store.db") as tree:
        feed(spool, clock, 120)
        assert tree.steady  # new transactions alone only lengthen the log
        spool._core.store.one("PRAGMA wal_checkpoint(RESTART)")
        assert not tree.steady


def test_any_damage_is_a_fault_and_never_an_endless_walk(room: Path, clock: FakeClock) -> None:
    spool = busy(room, clock)
    path = spool_path(spool) / "store.db"
    kill(spool)
    intact, dice = path.read_bytes(), random.Random(5)
    with Tree(path) as tree:
        whole = {row.columns for row in tree.rows("batch")}
    for _ in range(150):
        data = bytearray(intact)
        for _ in range(dice.choice((1, 5, 50))):
            at = dice.randrange(len(data))
            data[at] = dice.randrange(256)
        if dice.random() < 0.3:  # an interior page that leads back to itself
            number = dice.randrange(1, len(data) // PAGE)
            data[number * PAGE] = 5
            data[number * PAGE + 8 : number * PAGE + 12] = (number + 1).to_bytes(4, "big")
        path.write_bytes(data)
        with Tree(path) as tree:
            rows = [row for row in tree.rows("batch") if row.sound]
        assert {row.columns for row in rows} <= whole


# --- survey ---


def test_a_survey_tells_what_a_running_spool_tells(room: Path, clock: FakeClock) -> None:
    spool = busy(room, clock)
    sent(spool, 20)
    spool.settle()
    spool.outbox.set_aside(0, 25, "refused")
    spool.conditions.observe({"sensor air": "is lost"}, clock.boot_ms())
    feed(spool, clock, 70)
    before, stats = digests(room), spool.stats()
    seen = survey(room)
    (one,) = seen.spools
    assert seen.running
    assert seen.steady
    assert not one.problem
    assert (one.spool, one.epoch) == (stats.spool, stats.epoch)
    assert one.held_batches == stats.held_batches
    assert one.broker_batches == stats.unconfirmed_batches == 20
    assert one.set_aside_batches == 1
    assert one.open_readings == stats.window_readings > 0
    assert abs(one.used_bytes - stats.used_bytes) <= 3 * PAGE
    assert one.streams[0].readings + one.streams[1].readings == spool._core.store.one(
        "SELECT sum(readings) FROM batch"
    )
    assert one.streams[1].alarms == 11  # one of them says what was set aside
    oldest, newest = one.streams[0].oldest, one.streams[0].newest
    assert oldest is not None
    assert newest is not None
    assert oldest.utc_ms == oldest.t_ms + clock.offset
    assert oldest.t_ms == 10_000 < newest.t_ms
    assert one.written is not None
    assert clock.utc_ms() - 10_000 <= (one.written.utc_ms or 0) <= clock.utc_ms()
    assert [entry.key for entry in one.history] == ["sensor air"]
    assert digests(room) == before


def test_a_survey_after_the_end_knows_that_nothing_runs(room: Path, clock: FakeClock) -> None:
    kill(busy(room, clock, 2))
    before = digests(room)
    assert not survey(room).running
    assert digests(room) == before


def test_a_survey_says_what_it_cannot_read(room: Path, clock: FakeClock) -> None:
    with pytest.raises(SpoolError, match="cannot be read"):
        survey(room)
    spool = busy(room, clock, 2)
    kill(spool)
    (spool_path(spool) / "store.db").unlink()
    (one,) = survey(room).spools
    assert one.problem == "it has no store"


def test_a_spool_of_a_later_version_is_named_and_left_alone(
    room: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("edgenode.spool.block.FORMAT", 2)
        patch.setattr("edgenode.spool.journal.FORMAT", 2)
        kill(busy(room, clock, 1))
    (one,) = survey(room).spools
    assert "format 2" in one.problem


# --- verify ---


def test_a_sound_spool_verifies_also_beside_its_daemon(room: Path, clock: FakeClock) -> None:
    spool = busy(room, clock)
    before = digests(room)
    result = verify(room)
    assert result.sound
    assert not result.findings
    assert result.running
    assert result.blocks_sound == min(RING, spool.stats().commits)
    assert result.rows_sound >= spool.stats().held_batches + 4
    assert digests(room) == before


def test_every_damaged_block_is_named(room: Path, clock: FakeClock) -> None:
    spool = busy(room, clock)
    kill(spool)
    path = spool_path(spool) / "journal"
    sound = verify(room).blocks_sound
    data = bytearray(path.read_bytes())
    slots = [slot for slot in range(RING) if any(data[slot * BLOCK : (slot + 1) * BLOCK])][:3]
    for slot in slots:
        data[slot * BLOCK + 700] ^= 4
    path.write_bytes(data)
    result = verify(room)
    assert (result.blocks_sound, result.blocks_damaged) == (sound - 3, 3)
    assert [finding.where for finding in result.findings] == [
        f"{spool.id.hex()}/journal block {slot}" for slot in slots
    ]


def test_every_damaged_batch_is_named_with_its_page(room: Path, clock: FakeClock) -> None:
    spool = busy(room, clock)
    spool._core.store.one("PRAGMA wal_checkpoint(TRUNCATE)")
    (victim,) = [row for row in spool._core.store.all("SELECT id, data FROM batch") if row[0] == 7]
    kill(spool)
    path = spool_path(spool) / "store.db"
    data = path.read_bytes()
    at = data.index(victim[1][:40])
    path.write_bytes(data[: at + 30] + bytes([data[at + 30] ^ 1]) + data[at + 31 :])
    result = verify(room)
    assert (result.rows_damaged, result.sound) == (1, False)
    assert [finding.where for finding in result.findings] == [
        f"{spool.id.hex()}/store.db page {at // PAGE + 1}, batch 0/7"
    ]


def test_a_batch_that_proves_itself_and_says_another_identity_is_damaged(
    room: Path, clock: FakeClock
) -> None:
    spool = busy(room, clock, 5)
    row = spool._core.store.all("SELECT * FROM batch WHERE id = 2")[0][:-1]
    forged = (3, *row[1:])
    columns = ["epoch", "schema", "r0", "readings", "alarm", "t", "data", "crc"]
    change = ", ".join(f"{column} = ?" for column in columns)
    spool._core.store.all(
        f"UPDATE batch SET {change} WHERE id = 3",  # noqa: S608 - own text
        *forged[1:],
        row_crc("batch", *forged),
    )
    (finding,) = verify(room).findings
    assert "another identity" in finding.what


def test_a_missing_journal_and_store_are_damage(room: Path, clock: FakeClock) -> None:
    spool = busy(room, clock, 2)
    kill(spool)
    (spool_path(spool) / "journal").unlink()
    (spool_path(spool) / "store.db").unlink()
    assert {finding.what for finding in verify(room).findings} == {"it is missing"}
