"""Every page of a store, and every frame of its log, is damaged in turn."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pytest

from edgenode.spool.checksum import row_crc
from edgenode.spool.salvage import Salvage
from tests.disk.recorder import served

PAGE = 1024
FRAME = 24 + PAGE
TABLES = {"batch": 4, "loss": 4}
SIZES = (40, 300, 900, 1500, 2600, 7000)  # on one leaf together, alone, and along overflow chains
Row = tuple[str, tuple[object, ...]]


class Damaged(NamedTuple):
    """A store, what it holds, and which rows have bytes on which page."""

    path: Path
    rows: frozenset[Row]
    on_page: dict[int, frozenset[Row]]


def open_store(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("page_size=1024", "auto_vacuum=NONE", "journal_mode=WAL", "synchronous=OFF"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("PRAGMA wal_autocheckpoint=0")
    db.execute("CREATE TABLE batch (id INTEGER PRIMARY KEY, schema BLOB, data BLOB, crc INTEGER)")
    db.execute("CREATE TABLE loss (id INTEGER PRIMARY KEY, first INTEGER, n INTEGER, crc INTEGER)")
    db.execute("CREATE TABLE other (id INTEGER PRIMARY KEY, data BLOB)")  # not to be salvaged
    return db


def insert(db: sqlite3.Connection, ids: range, *, seed: int = 7) -> frozenset[Row]:
    """Insert batches whose every 16 bytes name their row, and a few losses among them."""
    rng, rows = random.Random(seed), set[Row]()
    for number in ids:
        size = rng.choice(SIZES) + rng.randrange(200)
        data = (b"batch %07d. " % number * (size // 15 + 1))[:size]
        values: tuple[int | bytes, ...] = (5 << 40 | number, b"schema-8", data)
        db.execute("INSERT INTO batch VALUES (?, ?, ?, ?)", (*values, row_crc("batch", *values)))
        rows.add(("batch", values))
        if number % 4 == 0:
            lost = (number, number << 33, -number)
            db.execute("INSERT INTO loss VALUES (?, ?, ?, ?)", (*lost, row_crc("loss", *lost)))
            rows.add(("loss", lost))
    return frozenset(rows)


def marks(row: Row) -> Iterator[bytes]:
    """Yield byte strings one of which is on every page that holds a part of the row."""
    table, values = row
    yield row_crc(table, *values).to_bytes(4)  # type: ignore[arg-type]
    if table == "batch":
        data = values[2]
        assert isinstance(data, bytes)
        text = data[:15] * 2
        yield from (text[shift : shift + 15] for shift in range(15))


def touched(page: bytes, rows: frozenset[Row]) -> frozenset[Row]:
    return frozenset(row for row in rows if any(mark in page for mark in marks(row)))


def salvaged(path: Path) -> tuple[frozenset[Row], Salvage]:
    scan = Salvage(path, TABLES)
    rows = [(row.table, row.columns) for row in scan.rows()]
    assert len(rows) == len(set(rows)), "a row came twice"
    return frozenset(rows), scan


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    path = tmp_path_factory.mktemp("salvage") / "store.db"
    db = open_store(path)
    rows = insert(db, range(1, 91))
    db.close()
    data = path.read_bytes()
    pages = {n: data[n * PAGE : (n + 1) * PAGE] for n in range(len(data) // PAGE)}
    assert len(pages) > 150
    return Damaged(path, rows, {n: touched(page, rows) for n, page in pages.items()})


@pytest.fixture
def copy(store: Damaged, tmp_path: Path) -> Damaged:
    shutil.copy(store.path, tmp_path / "store.db")
    return store._replace(path=tmp_path / "store.db")


def overwrite(path: Path, offset: int, data: bytes | bytearray) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_an_intact_store_gives_every_row_and_nothing_else(store: Damaged) -> None:
    rows, scan = salvaged(store.path)
    assert rows == store.rows
    assert (scan.pages_read, scan.pages_bad, scan.rows_refused) == (len(store.on_page), 0, 0)


def test_an_erased_page_costs_exactly_the_rows_on_it(copy: Damaged) -> None:
    intact = copy.path.read_bytes()
    for number, on_page in copy.on_page.items():
        for fill in (b"\0", b"\xff"):
            overwrite(copy.path, number * PAGE, fill * PAGE)
            assert salvaged(copy.path)[0] == copy.rows - on_page, f"page {number + 1}"
        overwrite(copy.path, number * PAGE, intact[number * PAGE : (number + 1) * PAGE])


def test_flipped_bits_on_any_page_cost_at_most_the_rows_on_it_and_invent_nothing(
    copy: Damaged,
) -> None:
    intact, rng = copy.path.read_bytes(), random.Random(11)
    for number, on_page in copy.on_page.items():
        page = bytearray(intact[number * PAGE : (number + 1) * PAGE])
        for _ in range(rng.choice((1, 1, 3, 40))):
            page[rng.randrange(PAGE)] ^= 1 << rng.randrange(8)
        if number == 0:
            page[16:18] = intact[16:18]  # a wrong page size has a test of its own
        overwrite(copy.path, number * PAGE, page)
        rows, _ = salvaged(copy.path)
        assert copy.rows - on_page <= rows <= copy.rows, f"page {number + 1}"
        overwrite(copy.path, number * PAGE, intact[number * PAGE : (number + 1) * PAGE])


@pytest.mark.parametrize("head", [b"\0" * PAGE, b"\0" * 100, b"SQLite format 3\0\x00\x07"])
def test_without_its_header_a_store_is_read_in_pages_of_the_size_the_spool_creates(
    copy: Damaged, head: bytes
) -> None:
    overwrite(copy.path, 0, head)
    assert salvaged(copy.path)[0] == copy.rows


def test_truncation_at_any_page_keeps_every_row_that_ends_before_it(copy: Damaged) -> None:
    gone = frozenset[Row]()
    for number in reversed(copy.on_page):
        gone |= copy.on_page[number]
        copy.path.open("r+b").truncate(number * PAGE + (PAGE // 2 if number % 3 == 0 else 0))
        rows, _ = salvaged(copy.path)
        assert copy.rows - gone <= rows <= copy.rows


def test_pages_in_the_wrong_place_and_chains_that_loop_end_the_scan_and_invent_nothing(
    copy: Damaged,
) -> None:
    intact, rng = copy.path.read_bytes(), random.Random(3)
    count = len(intact) // PAGE
    for _ in range(200):
        data = bytearray(intact)
        for _ in range(10):
            offset = rng.randrange(count) * PAGE
            data[offset : offset + 4] = rng.randrange(count + 3).to_bytes(4)
        source, target = rng.randrange(count) * PAGE, rng.randrange(1, count) * PAGE
        data[target : target + PAGE] = intact[source : source + PAGE]
        copy.path.write_bytes(data)
        assert salvaged(copy.path)[0] <= copy.rows


def test_noise_of_any_length_is_no_store_and_does_no_harm(tmp_path: Path) -> None:
    rng = random.Random(5)
    for size in (0, 1, 99, 100, 1023, 1024, 5000, 65536):
        (tmp_path / "store.db").write_bytes(b"\x0d" * (size // 2) + rng.randbytes(size - size // 2))
        (tmp_path / "store.db-wal").write_bytes(rng.randbytes(size))
        assert salvaged(tmp_path / "store.db")[0] == frozenset()


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, frozenset[Row]]:
    """Give a store half of whose rows are in its log only, before the tail of an older log."""
    path = tmp_path_factory.mktemp("logged") / "live.db"
    db = open_store(path)
    rows = insert(db, range(1, 31))
    db.execute("PRAGMA wal_checkpoint(RESTART)")
    for first in range(31, 61, 3):
        db.execute("BEGIN")
        rows |= insert(db, range(first, first + 3), seed=first)
        db.execute("COMMIT")
    copy = path.with_name("store.db")
    shutil.copy(path, copy)
    shutil.copy(path.with_name("live.db-wal"), copy.with_name("store.db-wal"))
    db.close()
    return copy, rows


def test_rows_that_only_the_log_holds_are_saved_too(logged: tuple[Path, frozenset[Row]]) -> None:
    path, rows = logged
    assert salvaged(path)[0] == rows


def test_the_log_is_cut_anywhere_and_every_finished_transaction_before_the_cut_survives(
    logged: tuple[Path, frozenset[Row]], tmp_path: Path
) -> None:
    path, rows = logged
    shutil.copy(path, tmp_path / "store.db")
    log = path.with_name("store.db-wal").read_bytes()
    for end in range(0, len(log) + 1, FRAME // 3):
        (tmp_path / "store.db-wal").write_bytes(log[:end])
        (tmp_path / "oracle.db-wal").write_bytes(log[:end])
        shutil.copy(path, tmp_path / "oracle.db")
        assert salvaged(tmp_path / "store.db")[0] == as_sqlite_sees(tmp_path / "oracle.db")
    assert as_sqlite_sees(tmp_path / "oracle.db") == rows


def as_sqlite_sees(path: Path) -> frozenset[Row]:
    """Return the rows by SQL: the other implementation of the log's rules."""
    db = sqlite3.connect(path)
    rows = {("batch", tuple(row)) for row in db.execute("SELECT id, schema, data FROM batch")}
    rows |= {("loss", tuple(row)) for row in db.execute("SELECT id, first, n FROM loss")}
    db.close()
    return frozenset(rows)


def test_a_bad_frame_in_the_log_costs_its_own_rows_where_sqlite_forgets_all_behind_it(
    logged: tuple[Path, frozenset[Row]], tmp_path: Path
) -> None:
    path, rows = logged
    log = path.with_name("store.db-wal").read_bytes()
    copy = tmp_path / "store.db"
    shutil.copy(path, copy)
    frames = [at for at in range(32, len(log), FRAME) if log[at + 8 : at + 16] == log[16:24]]
    forgotten_by_sqlite = 0
    for at in frames[:-1]:  # without the last, which commits, its transaction never happened
        bad = bytearray(log)
        bad[at + 24 + 500] ^= 0x10
        copy.with_name("store.db-wal").write_bytes(bad)
        found, _ = salvaged(copy)
        assert rows - touched(log[at : at + FRAME], rows) <= found <= rows, f"frame at {at}"
        shutil.copy(copy, tmp_path / "oracle.db")
        (tmp_path / "oracle.db-wal").write_bytes(bad)
        forgotten_by_sqlite += len(found - as_sqlite_sees(tmp_path / "oracle.db"))
    assert forgotten_by_sqlite > 100


def test_a_log_without_its_header_still_gives_its_rows(
    logged: tuple[Path, frozenset[Row]], tmp_path: Path
) -> None:
    path, rows = logged
    log = path.with_name("store.db-wal").read_bytes()
    shutil.copy(path, tmp_path / "store.db")
    (tmp_path / "store.db-wal").write_bytes(b"\0" * 32 + log[32:])
    found, _ = salvaged(tmp_path / "store.db")
    assert rows - touched(log[32 : 32 + FRAME], rows) <= found <= rows


def test_the_checksums_of_a_big_endian_machine_are_understood(
    logged: tuple[Path, frozenset[Row]], tmp_path: Path
) -> None:
    path, rows = logged
    shutil.copy(path, tmp_path / "store.db")
    log = path.with_name("store.db-wal").read_bytes()
    (tmp_path / "store.db-wal").write_bytes(rewritten(log, ">"))
    (tmp_path / "oracle.db-wal").write_bytes(rewritten(log, ">"))
    shutil.copy(path, tmp_path / "oracle.db")
    assert salvaged(tmp_path / "store.db")[0] == rows == as_sqlite_sees(tmp_path / "oracle.db")


def rewritten(log: bytes, order: str) -> bytes:
    """Write the log again with checksums over words of another byte order."""

    def summed(data: bytes, a: int, b: int) -> tuple[int, int]:
        byteorder = "big" if order == ">" else "little"
        for at in range(0, len(data), 8):
            a = (a + int.from_bytes(data[at : at + 4], byteorder) + b) % 2**32  # type: ignore[arg-type]
            b = (b + int.from_bytes(data[at + 4 : at + 8], byteorder) + a) % 2**32  # type: ignore[arg-type]
        return a, b

    head = (0x377F0682 | (order == ">")).to_bytes(4) + log[4:24]
    a, b = summed(head, 0, 0)
    out = head + a.to_bytes(4) + b.to_bytes(4)
    for at in range(32, len(log) - FRAME + 1, FRAME):
        page = log[at + 24 : at + FRAME]
        a, b = summed(log[at : at + 8] + page, a, b)
        out += log[at : at + 16] + a.to_bytes(4) + b.to_bytes(4) + page
    return out


def test_among_pages_given_back_and_used_again_every_live_row_is_found_and_none_is_invented(
    tmp_path: Path,
) -> None:
    rng, path = random.Random(17), tmp_path / "store.db"
    db = open_store(path)
    live, ever = dict[int, frozenset[Row]](), frozenset[Row]()
    for step in range(1, 121):
        live[step] = insert(db, range(step * 4 + 1, step * 4 + 4), seed=step)
        ever |= live[step]
        if step > 30:
            oldest = live.pop(min(live) if rng.random() < 0.7 else rng.choice(sorted(live)))
            keys = [(values[0],) for table, values in oldest if table == "batch"]
            db.executemany("DELETE FROM batch WHERE id = ?", keys)
        if step % 17 == 0:
            db.execute("PRAGMA wal_checkpoint(RESTART)")
        if step % 10 == 0:
            shutil.copy(path, tmp_path / "copy.db")
            shutil.copy(tmp_path / "store.db-wal", tmp_path / "copy.db-wal")
            assert frozenset[Row]().union(*live.values()) <= salvaged(tmp_path / "copy.db")[0]
            assert salvaged(tmp_path / "copy.db")[0] <= ever
    db.close()


@pytest.mark.root
def test_pages_that_the_card_cannot_read_any_more_cost_exactly_the_rows_on_them(
    store: Damaged, tmp_path: Path
) -> None:
    bad = random.Random(13).sample(sorted(store.on_page), 20)
    pages = map(str, bad)
    with served("tests.disk.bad_sectors", tmp_path / "card", store.path, *pages) as card:
        rows, scan = salvaged(card / store.path.name)
    assert rows == store.rows - frozenset[Row]().union(*(store.on_page[page] for page in bad))
    assert scan.pages_bad >= len(bad)


def test_every_table_of_the_spool_obeys_the_rules_of_salvage() -> None:
    schema = (files("edgenode.spool") / "schema.sql").read_text(encoding="utf-8")
    db = sqlite3.connect(":memory:")
    db.executescript(schema)
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type='table'")]
    assert not list(db.execute("SELECT name FROM sqlite_schema WHERE type='index'"))
    for table in set(tables) - {"pad"}:
        columns = list(db.execute(f"PRAGMA table_info({table})"))
        names = [column[1] for column in columns]
        assert (names[0], columns[0][2], columns[0][5]) == ("id", "INTEGER", 1), table
        assert names[-1] == "crc", table
        assert {column[2] for column in columns} <= {"INTEGER", "BLOB", "TEXT"}, table
    db.close()


def test_sql_alone_saves_nothing_where_the_scan_saves_everything(copy: Damaged) -> None:
    overwrite(copy.path, 0, b"\0" * PAGE)
    with pytest.raises(sqlite3.DatabaseError):
        as_sqlite_sees(copy.path)
    assert salvaged(copy.path)[0] == copy.rows


def test_a_large_store_is_scanned_in_well_under_a_second_for_each_hundred_megabytes(
    tmp_path: Path,
) -> None:
    """The bound is ten times what was measured (0.8 s for 130 MB), so that only a fault fails."""
    db = open_store(tmp_path / "store.db")
    db.execute("BEGIN")
    insert(db, range(1, 8001))
    db.execute("COMMIT")
    db.close()
    megabytes = (tmp_path / "store.db").stat().st_size / 1e6
    began = time.process_time()
    assert sum(1 for _ in Salvage(tmp_path / "store.db", TABLES).rows()) == 10000
    assert (time.process_time() - began) / megabytes < 0.08
