"""The SQLite file below the store: how it is opened, grown, and kept writable on a full disk.

Every figure here was measured; see docs/decisions/ for the notes on the spool.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

PAGE = 1024  # a sealed batch of 1 KB costs 10 KB at the device, with pages of 4 KiB 24 KB
CHUNK = 64 << 10  # of growing
SLICE = 8  # chunks a step: the lock is held for some ten milliseconds
BALLAST = 2 << 20
RESERVE = 2 << 20  # left free on the disk: for the log, which is written before the file is
LEAST_PAGES = (1 << 20) // PAGE  # of a store, however little room there seems to be
VACUUM_PAGES = 1_000
CACHE_KIB = 1_024
FULL_SHARE, TIGHT_SHARE = 0.9, 0.8  # of the cap: evict beyond the first, on a full disk the second
_Result = TypeVar("_Result")
_left_open: list[sqlite3.Connection] = []  # closing would give the room of the WAL away


def _has_log(path: Path) -> bool:
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0


class Database:
    """One connection, one lock around it. Methods raise sqlite3.Error; none may run twice."""

    def __init__(self, path: Path, cap_bytes: int, *, pregrow: bool) -> None:
        self.lock = threading.RLock()
        self.path = path
        self.asked_pages = self.cap_pages = cap_bytes // PAGE
        self.pregrow = pregrow
        self.grown = not pregrow
        self.share = FULL_SHARE
        self._logged = _has_log(path)
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._pads = 0
        self._ballast = None if self._in_memory() else path.with_name("ballast")

    def prepare(self) -> None:
        """Set it up, making the tables of a new file.

        Raises sqlite3.Error, and then nothing of an old file is changed: its log is still there
        for as long as nobody closes the connection.
        """
        run = self.connection.execute
        run("PRAGMA locking_mode=EXCLUSIVE")
        if run("PRAGMA page_count").fetchone()[0] == 0:
            run(f"PRAGMA page_size={PAGE}")
            run(f"PRAGMA auto_vacuum={'NONE' if self.pregrow else 'INCREMENTAL'}")
        run("PRAGMA journal_mode=WAL")
        for pragma in (
            "synchronous=FULL",
            "secure_delete=OFF",
            "wal_autocheckpoint=1000",
            "temp_store=MEMORY",
            "cell_size_check=ON",
            f"cache_size=-{CACHE_KIB}",
            f"max_page_count={self.asked_pages}",
        ):
            run(f"PRAGMA {pragma}")
        if run("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            if self._logged:  # what it holds would be overwritten: let it be salvaged
                raise sqlite3.DatabaseError("the log of the store is not readable")
            schema = files("edgenode.spool").joinpath("schema.sql").read_text(encoding="utf-8")
            self.connection.executescript(f"BEGIN IMMEDIATE; {schema} COMMIT;")
        self._pads = self.one("SELECT count(*) FROM pad")

    def _in_memory(self) -> bool:
        return str(self.path) == ":memory:"

    def one(self, query: str, *values: Any) -> Any:
        """Return the first column of the first row, None without rows."""
        with self.lock:
            row = self.connection.execute(query, values).fetchone()
        return row[0] if row else None

    def all(self, query: str, *values: Any) -> list[Any]:
        """Return all rows; the query bounds them."""
        with self.lock:
            return self.connection.execute(query, values).fetchall()

    def used_pages(self) -> int:
        """Return how many pages hold something that counts against the cap."""
        used = self.one("PRAGMA page_count") - self.one("PRAGMA freelist_count")
        return max(0, int(used) - self._pads * (CHUNK // (PAGE - 4) + 1))

    def fit(self) -> None:
        """Lower the cap to what the disk has room for, beside what the file has already.

        Beyond that nothing could be written, and the newest would be lost in place of the oldest.
        """
        if self._in_memory():
            return
        disk = os.statvfs(self.path.parent)
        room = max(0, disk.f_bavail * disk.f_frsize - RESERVE) // PAGE
        possible = max(LEAST_PAGES, self.one("PRAGMA page_count") + room)
        self.cap_pages = min(self.asked_pages, possible)

    def transaction(self, work: Callable[[], _Result]) -> _Result:
        """Run `work` in one transaction, making room where cap or disk are full.

        `work` may be called again after a rollback. Raises the last error when nothing helped.
        """
        with self.lock:
            for relief in (self._restart_wal, self._free_ballast, self._tighten, self._vacuum):
                try:
                    return self._attempt(work)
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
                        raise
                    self._relieve(relief)
            try:
                return self._attempt(work)
            finally:
                self.share = FULL_SHARE

    def _attempt(self, work: Callable[[], _Result]) -> _Result:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            result = work()
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        self.share = FULL_SHARE
        return result

    def _relieve(self, relief: Callable[[], None]) -> None:
        """Try one way to make room; that it fails on a full disk too is no news."""
        try:
            relief()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
                raise

    def _restart_wal(self) -> None:
        self.connection.execute("PRAGMA wal_checkpoint(RESTART)")
        self._drop_pads(len_max=1 << 20)

    def _free_ballast(self) -> None:
        if self._ballast:
            self._ballast.unlink(missing_ok=True)
        if not self.pregrow:  # a log once grown keeps its room
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _tighten(self) -> None:
        self.fit()
        self.share = TIGHT_SHARE

    def _vacuum(self) -> None:
        if not self.pregrow:
            self.connection.executescript(f"PRAGMA incremental_vacuum({VACUUM_PAGES})")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def tend(self) -> bool:
        """Do one slice of growing, or of giving back; return whether there is more to do.

        Pages once written stay the file's own: a disk filled by others cannot stop the spool.
        Without growing, a ballast file keeps some room, and what is free is given back.
        """
        with self.lock:
            self.fit()
            if self.grown:
                return self._drop_pads(SLICE) if self._pads else self._give_back()
            room = self.cap_pages - self.one("PRAGMA page_count")
            chunks = min(SLICE, room // (CHUNK // (PAGE - 4) + 2) - 1)
            if chunks <= 0:
                self.grown = True
                return True
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany(
                "INSERT INTO pad (zeros) VALUES (zeroblob(?))", [(CHUNK,)] * chunks
            )
            self.connection.execute("COMMIT")
            self._pads += chunks
            return True

    def _drop_pads(self, len_max: int) -> bool:
        if not self._pads:
            return False
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute(
            "DELETE FROM pad WHERE id IN (SELECT id FROM pad LIMIT ?)", (len_max,)
        )
        self.connection.execute("COMMIT")
        self._pads = self.one("SELECT count(*) FROM pad")
        if not self._pads:
            self.connection.execute("PRAGMA wal_checkpoint(RESTART)")
        return self._pads > 0

    def _give_back(self) -> bool:
        if self.pregrow or self._ballast is None:
            return False
        free = self.one("PRAGMA freelist_count")
        if free >= VACUUM_PAGES:
            self.connection.executescript(f"PRAGMA incremental_vacuum({VACUUM_PAGES})")
        wanted = min(BALLAST, self.cap_pages * PAGE // 8)
        if not self._ballast.exists():
            room = os.statvfs(self.path.parent)
            if room.f_bavail * room.f_frsize > 4 * wanted:
                self._ballast.write_bytes(bytes(wanted))
        return False

    def close(self) -> None:
        """Close the file; where it was grown leave it open, since closing gives room away."""
        if self.pregrow and not self._in_memory():
            _left_open.append(self.connection)
        else:
            self.connection.close()

    def abandon(self) -> None:
        """Close a damaged file, whatever that does to it."""
        try:
            self.connection.close()
        except sqlite3.Error:
            _left_open.append(self.connection)
