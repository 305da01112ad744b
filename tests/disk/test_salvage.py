"""Every page of a store is damaged in turn; only the rows on it may be missing."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pytest

from edgenode.spool.salvage import Salvage
from tests.disk.recorder import served
from tests.disk.stores import (
    PAGE,
    TABLES,
    Row,
    as_sqlite_sees,
    insert,
    open_store,
    overwrite,
    salvaged,
    touched,
)


class Damaged(NamedTuple):
    """A store, what it holds, and which rows have bytes on which page."""

    path: Path
    rows: frozenset[Row]
    on_page: dict[int, frozenset[Row]]


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
