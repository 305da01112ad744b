"""One connection to PostgreSQL that comes back: SQL with `?`, errors as the sink's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import StrDumperUnknown

from edgenode.cityos.store import SinkAway
from edgenode.errors import CityError

CONNECT_S = 5
# A peer that is gone without a word is noticed after some 15 s, on our side and on the server's.
ALIVE = {"keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 3}
GREETING = """
SET search_path = edgenode;
SET client_min_messages = warning;
SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3;
SELECT set_config('synchronous_commit', 'on', false)
  WHERE current_setting('synchronous_commit') = 'off';
"""


class PostgresDatabase:
    """A connection of one thread, made when it is needed and again when it was lost.

    Every error is a CityError; SinkAway where the same may succeed on another connection.
    """

    def __init__(
        self, url: str, password: str | None, on_connect: Callable[[PostgresDatabase], None]
    ) -> None:
        self._words = _words(url, password)
        self.name = _name(self._words)
        self._on_connect = on_connect
        self._connection: psycopg.Connection[Any] | None = None
        self._within = False  # a transaction
        self._committed: list[Callable[[], None]] = []

    def open(self) -> psycopg.Connection[Any]:
        """Return the connection; outside of a transaction a lost one is made anew."""
        if self._connection is not None and not self._connection.closed:
            return self._connection
        if self._within:
            raise SinkAway(f"the sink {self.name} went away within a transaction; trying again")
        with self._errors():
            self._connection = psycopg.connect(**self._words, autocommit=True)
            self._connection.adapters.register_dumper(str, _TextDumper)
            self._connection.adapters.register_loader("numeric", _NumberLoader)
            self._connection.execute(GREETING)
        try:
            self._on_connect(self)
        except BaseException:
            self.close()
            raise
        return self._connection

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> psycopg.Cursor[Any]:
        """Run one statement; its rows are all here on return."""
        connection = self.open()
        with self._errors():
            return connection.execute(_translated(sql), parameters or None)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> None:
        """Run one statement for each row of parameters, in one round trip."""
        rows = list(parameters)
        if rows:
            connection = self.open()
            with self._errors(), connection.cursor() as cursor:
                cursor.executemany(_translated(sql), rows)

    def each(self, sql: str, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Do the same and return what each of them gave."""
        if not rows:
            return []
        connection = self.open()
        with self._errors(), connection.cursor() as cursor:
            cursor.executemany(_translated(sql), rows, returning=True)
            found = [cursor.fetchall()]
            while cursor.nextset():
                found.append(cursor.fetchall())
            return found

    def stream(self, sql: str, parameters: Sequence[Any], name: str) -> Iterator[Any]:
        """Yield rows that stay on the server until they are asked for."""
        connection = self.open()
        with self._errors(), connection.cursor(name, withhold=True) as cursor:
            cursor.execute(_translated(sql), parameters)
            yield from cursor

    def copy(self, sql: str, parts: Iterable[bytes]) -> None:
        """Send rows by COPY, in its text format."""
        connection = self.open()
        with (
            self._errors(),
            connection.cursor() as cursor,
            cursor.copy(sql.encode()) as copy,
        ):
            for part in parts:
                copy.write(part)

    @contextmanager
    def transaction(self, *, frozen: bool) -> Iterator[None]:
        """All or nothing; with `frozen`, nothing is seen that others commit meanwhile."""
        connection = self.open()
        self._committed.clear()
        self._within = True
        try:
            with self._errors(), connection.transaction():
                if frozen:
                    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                yield
        finally:
            self._within = False
        for note in self._committed:
            note()

    def after_commit(self, note: Callable[[], None]) -> None:
        """Call `note` once what is being written is there for good."""
        self._committed.append(note)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.OperationalError, psycopg.InterfaceError) as exc:
            # Among them: deadlock and serialization failure, a full disk, a server that stops.
            raise SinkAway(f"the sink {self.name} is not to be had: {_line(exc)}") from exc
        except psycopg.Error as exc:
            raise CityError(
                f"the sink {self.name} refuses: {_line(exc)}; see its log and the rights of "
                "the user: nothing that is not stored was acknowledged"
            ) from exc


def _words(url: str, password: str | None) -> dict[str, Any]:
    """Take a URL apart and add what makes a connection safe; raises CityError."""
    try:
        words: dict[str, Any] = dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError as exc:
        raise CityError(
            "the --db that was given is no postgresql:// URL; write postgresql://USER@HOST/DATABASE"
        ) from exc
    if "password" in words:
        raise CityError(
            "no password belongs into --db, where everybody on the machine can read it: use "
            "--db-password-file FILE or libpq's PGPASSFILE"
        )
    host = str(words.get("host", ""))
    local = not host or host.startswith("/") or host in {"localhost", "127.0.0.1", "::1"}
    if not local and "sslmode" not in words:
        words |= {"sslmode": "verify-full"}
        words.setdefault("sslrootcert", "system")
    if password is not None:
        words["password"] = password
    ours = {
        "connect_timeout": CONNECT_S,
        "tcp_user_timeout": 15_000,
        "application_name": "edgenode",
    }
    return {**ours, **ALIVE, **words}


def _name(words: dict[str, Any]) -> str:
    host = str(words.get("host", "")) or "the local socket"
    return f"postgresql {words.get('dbname', '')} at {host}:{words.get('port', '5432')}"


def _line(exc: BaseException) -> str:
    return " ".join(str(exc).split())


@lru_cache(maxsize=512)
def _translated(sql: str) -> bytes:
    return sql.replace("%", "%%").replace("?", "%s").encode()


class _TextDumper(StrDumperUnknown):
    """Text as PostgreSQL can hold it: it knows no U+0000."""

    def dump(self, obj: str) -> bytes | None:
        return bytes(super().dump(obj.replace("\0", "\ufffd")) or b"")


class _NumberLoader(Loader):
    """A sum of integers is an integer, as in SQLite."""

    def load(self, data: Any) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)
