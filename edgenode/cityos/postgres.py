"""The sink in PostgreSQL: any number of receivers store at once, one of them derives.

Which receiver is which is told by advisory locks, which end with the connection that holds them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

from edgenode.cityos.postgres_link import PostgresDatabase
from edgenode.cityos.postgres_rows import PostgresRows
from edgenode.cityos.postgres_schema import MIGRATIONS, VERSION
from edgenode.cityos.sink import Sink
from edgenode.errors import CityError

LOCKS = 0x65_6E_63_6F  # "enco": the class of our advisory locks; 0 leads, 1 … are receivers
MIGRATING = 0x65_6E_6D_69  # "enmi"
MAX_RECEIVERS = 256
LEAD_EVERY_S = 1.0  # a receiver that does not lead tries to, this often


class PostgresSink(Sink):
    """A sink in the schema `edgenode` of one database, by one connection."""

    def __init__(self, url: str, *, readonly: bool, password: str | None) -> None:
        self._readonly = readonly
        self.db: PostgresDatabase = PostgresDatabase(url, password, self._greet)
        self.rows = PostgresRows(self.db)
        self.name = self.db.name
        self._slot: int | None = None  # which receiver we are
        self._leading = False
        self._term = 0
        self._asked = -LEAD_EVERY_S
        self._streams = 0

    @classmethod
    def connect(cls, url: str, *, readonly: bool, password: str | None) -> Self:
        """Open the database and bring its tables to this version; raises CityError."""
        sink = cls(url, readonly=readonly, password=password)
        sink.db.open()
        return sink

    def close(self) -> None:
        self.db.close()

    def transaction(self, *, frozen: bool = False) -> AbstractContextManager[None]:
        return self.db.transaction(frozen=frozen)

    def each(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
        return self.db.each(sql, rows)

    def stream(self, sql: str, parameters: Sequence[Any]) -> Iterator[Any]:
        self._streams += 1
        return self.db.stream(sql, parameters, f"stream_{self._streams}")

    def client_id(self) -> str:
        """Return the id of the lowest free place: who comes after a dead receiver is that one."""
        with self.transaction():
            self.db.execute(
                "INSERT INTO meta VALUES ('client', ?) ON CONFLICT DO NOTHING",
                (f"city-{secrets.token_hex(6)}",),
            )
        name = self.db.execute("SELECT value FROM meta WHERE name = 'client'").fetchall()[0][0]
        if self._slot is None:
            free = (n for n in range(1, MAX_RECEIVERS + 1) if self._lock(n))
            self._slot = next(free, None)
        if self._slot is None:
            raise CityError(f"{MAX_RECEIVERS} receivers are at {self.name} already; end some")
        return f"{name}-{self._slot}"

    def lead(self) -> bool:
        """Take the lead when it is free; it is kept as long as the connection lives."""
        self.db.open()
        if self._leading or self._readonly:
            return self._leading
        if time.monotonic() - self._asked < LEAD_EVERY_S:
            return False
        self._asked = time.monotonic()
        self._leading = self._lock(0)
        self._term += self._leading
        return self._leading

    @property
    def term(self) -> int:
        return self._term

    def _lock(self, number: int) -> bool:
        row = self.db.execute("SELECT pg_try_advisory_lock(?, ?)", (LOCKS, number)).fetchone()
        return bool(row and row[0])

    def _greet(self, db: PostgresDatabase) -> None:
        """Make a new connection ours: its tables, its rights, and the place we had."""
        self._leading, self._asked = False, -LEAD_EVERY_S
        if self._readonly:
            self._check(db)
            db.execute("SET default_transaction_read_only = on")
        else:
            _migrate(db)
        if self._slot is not None and not self._lock(self._slot):
            raise CityError(
                f"another receiver took place {self._slot} at {self.name} while the connection "
                "was lost; start again to get one of our own"
            )

    def _check(self, db: PostgresDatabase) -> None:
        version = _version(db)
        if version == 0:
            raise CityError(f"there is no sink in {self.name}; `edgenode cityos receive` makes one")
        if version != VERSION:
            raise CityError(
                f"the sink in {self.name} has version {version} and not {VERSION}; "
                "`edgenode cityos receive` of the newest version brings it up to date"
            )


def _version(db: PostgresDatabase) -> int:
    """Return the version of the tables, 0 where there are none."""
    if not _truth(db, "SELECT to_regclass('edgenode.meta') IS NOT NULL"):
        return 0
    row = db.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
    return int(row[0]) if row else 0


def _truth(db: PostgresDatabase, sql: str) -> bool:
    row = db.execute(sql).fetchone()
    return bool(row and row[0])


def _migrate(db: PostgresDatabase) -> None:
    """Bring the tables to this version, one receiver at a time; raises CityError."""
    if _version(db) == VERSION:
        return
    with db.transaction(frozen=False):
        db.execute("SELECT pg_advisory_xact_lock(?, 0)", (MIGRATING,))
        version = _version(db)
        if version > VERSION:
            raise CityError(
                f"the sink in {db.name} has version {version}, which is newer than {VERSION}; "
                "use the program that made it"
            )
        if version == 0:
            db.execute("CREATE SCHEMA IF NOT EXISTS edgenode")
            db.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        for script in MIGRATIONS[version:]:
            db.execute(script)
        db.execute(
            "INSERT INTO meta VALUES ('version', ?) ON CONFLICT (name)"
            " DO UPDATE SET value = excluded.value",
            (str(VERSION),),
        )
