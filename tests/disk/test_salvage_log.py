"""Every frame of a store's write-ahead log is damaged in turn; SQLite says which frames count."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.disk.stores import FRAME, Row, as_sqlite_sees, insert, open_store, salvaged, touched


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
