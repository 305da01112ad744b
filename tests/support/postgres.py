"""A real PostgreSQL of its own: one cluster in a folder, on a Unix socket and on the loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psycopg

from edgenode.cityos.sink import Sink
from tests.support.ports import free_port, until

USER = "edgenode"
PASSWORD = "rain at night"  # noqa: S105 - of a server that lives as long as a test
QUICK = (
    "shared_buffers=32MB", "max_connections=40", "max_wal_size=256MB", "jit=off",
    "recovery_init_sync_method=syncfs",  # after a kill not every file of every database by itself
)  # fmt: skip

_TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'edgenode'::regnamespace"
    " AND relkind IN ('r', 'p') AND NOT relispartition AND relname != 'meta'"
)


def find(name: str) -> Path:
    """Return the path of a program of PostgreSQL; fail naming its package when it is missing."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    other = shutil.which(name)
    assert found or other, f"{name} is missing: apt install postgresql"
    return found[-1] if found else Path(str(other))


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


def _state(pid: int) -> str:
    """Return the state letter of a process as proc(5) has it; X for one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


class Postgres:
    """One cluster; `start` again after `stop` or `kill` finds what was committed.

    On the socket everybody is trusted, on 127.0.0.1 the password is asked for. It does not run as
    root, which PostgreSQL refuses.
    """

    def __init__(self, settings: Sequence[str] = ()) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="edgenode-pg-"))
        self._settings = [*QUICK, *settings]
        self._as = "postgres" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        if self._as is not None:
            account = pwd.getpwnam(self._as)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._create()

    def _create(self) -> None:
        secret = self.folder / "secret"
        secret.write_text(PASSWORD, encoding="utf-8")
        secret.chmod(0o644)
        subprocess.run(
            [find("initdb"), "-D", self.folder / "data", "-U", USER, "--auth-local=trust",
             "--auth-host=scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C",
             "--no-sync"],
            check=True, capture_output=True, user=self._as, cwd="/",
        )  # fmt: skip

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start if it does not run, and return when connections are taken."""
        if self._process is not None:
            return
        words: list[str | Path] = [
            find("postgres"), "-D", self.folder / "data", "-k", self.folder, "-p", str(self.port),
            "-h", "127.0.0.1",
        ]  # fmt: skip
        for setting in self._settings:
            words += ["-c", setting]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, user=self._as, cwd="/")
        until(self._answers, f"PostgreSQL; see {self.folder / 'log'}")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log()
        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def _log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")[-2_000:]

    def stop(self) -> None:
        """End it in good order, if it runs."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # ends the connections too
            self._process.wait(20)
            self._process = None

    def kill(self) -> None:
        """Lose the server with all its processes, as when the power goes; returns without them.

        One that still wrote to the disk would keep a new server from starting.
        """
        if self._process is not None:
            lead = self._process.pid
            self._process.send_signal(signal.SIGSTOP)  # it starts no others from here on
            until(lambda: _state(lead) in "TZ", "the server to stand still")
            children = [int(pid) for pid in _children(lead)]
            for pid in (lead, *children):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None
            until(lambda: all(_state(pid) in "XZ" for pid in children), "its processes to end")

    def url(self, database: str) -> str:
        """Return the URL of a database by the socket."""
        return f"postgresql://{USER}@/{database}?host={self.folder}&port={self.port}"

    def loopback(self, database: str) -> str:
        """Return its URL by TCP, where the password is wanted."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """Make an empty database and return its name."""
        self._made += 1
        name = f"city{self._made}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as link:
            link.execute(f"CREATE DATABASE {name}".encode())
        return name


def emptied(sink: Sink) -> Sink:
    """Return a sink in PostgreSQL with nothing in it."""
    for (table,) in sink.db.execute(_TABLES).fetchall():
        sink.db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of the test
    sink.db.execute("DELETE FROM meta WHERE name != 'version'")
    sink.db.execute("SET synchronous_commit = off")  # these tests are about logic, not the disk
    return sink
