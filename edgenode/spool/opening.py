"""How a directory becomes a spool: whose it is, which of the spools in it goes on, which drain."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgenode.clock import Clock
from edgenode.errors import SpoolError
from edgenode.reading import Event, Groups, SpoolReason
from edgenode.spool.births import Births, describe, read_births
from edgenode.spool.block import Status
from edgenode.spool.core import Core
from edgenode.spool.directory import bytes_of, spools_in
from edgenode.spool.journal import Found, NewerFormat, sync_directory
from edgenode.spool.model import Identity, Left
from edgenode.spool.options import SpoolOptions
from edgenode.spool.outbox import Outbox
from edgenode.spool.quarantine import set_aside
from edgenode.spool.rebuild import QUARANTINE_SHARE
from edgenode.spool.recovery import Evidence, Surroundings, examine, revive
from edgenode.spool.store import Store

UNKNOWN = bytes(8)
MEMORY_CAP = 8 << 20  # of sealed batches, where no disk can be written
FIRST_DAY_MS = 1_577_836_800_000  # 2020-01-01T00:00:00Z
MINUTE_MS = 60_000


def short_hash(text: str) -> bytes:
    """Return 8 bytes that tell texts apart; zeros for no text."""
    return hashlib.blake2b(text.encode(), digest_size=8).digest() if text else UNKNOWN


@dataclass(frozen=True)
class Callbacks:
    """What cores call of the spool around them."""

    alarm: Callable[[Event], None]
    wake: Callable[[], None]
    release: Callable[[int], None]


@dataclass
class Opened:
    """A spool ready to run: its core, older ones to drain, what went wrong, the lock held."""

    core: Core
    drains: list[Core] = field(default_factory=list)
    troubles: list[SpoolReason] = field(default_factory=list)
    left: tuple[Left, ...] = ()
    degraded: str = ""
    lock_fd: int | None = None


@dataclass
class Opener:
    """Opens one directory once."""

    options: SpoolOptions
    node: bytes
    groups: Groups
    clock: Clock
    board: bytes
    callbacks: Callbacks

    def __post_init__(self) -> None:
        """Make the birth of the groups; raises WireError or SpoolError when they have none."""
        self.schema, self.birth = describe(self.node, self.groups)
        self.boot = short_hash(self.clock.boot_id())

    def open(self) -> Opened:
        """Open what can be opened; without a usable disk the spool lives in memory."""
        lock_fd = None
        try:
            lock_fd = self._lock()
            opened = self._open_on_disk()
        except (OSError, sqlite3.Error) as error:
            opened = self._open_in_memory(error)
        opened.lock_fd = lock_fd
        return opened

    def _lock(self) -> int:
        self.options.directory.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.options.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise SpoolError(
                f"another process uses the spool in {self.options.directory}: stop it, "
                "or give this one a directory of its own"
            ) from None
        return fd

    def _open_on_disk(self) -> Opened:
        left = tuple(filter(None, map(self._of_another_node, spools_in(self.options.directory))))
        evidence, troubles = self._evidence({one.directory for one in left})
        current = self._current(evidence)
        epoch = self._epoch(evidence)
        drains = [self._drain(item, epoch) for item in evidence if item is not current]
        if current is None:
            spool = secrets.token_bytes(8)
            path = self.options.directory / spool.hex()
            path.mkdir()
            sync_directory(self.options.directory)
            current = examine(path, self.options)
        else:
            spool = current.spool
            troubles += current.troubles
        identity = Identity(self.node, spool, self.board, self.boot, epoch, self.schema)
        core = self._revive(current, identity, epoch, self.callbacks.release)
        return Opened(core, [drain for drain in drains if drain], troubles, left)

    def _evidence(self, left: Container[str]) -> tuple[list[Evidence], list[SpoolReason]]:
        """Examine every spool but those `left`; what holds nothing at all is put away."""
        found, troubles = [], list[SpoolReason]()
        for path in spools_in(self.options.directory):
            if str(path) in left:
                continue
            try:
                item = examine(path, self.options)
            except NewerFormat:
                continue
            if item.lost() and not item.store.held():
                item.close()
                troubles += self._put_away(path)
            else:
                found.append(item)
        return found, troubles

    def _of_another_node(self, path: Path) -> Left | None:
        """Return what is known of a spool whose births are another node's alone.

        Its batches bear that name, which no broker and no City OS takes from us. It is left
        untouched: for that node to come back, or for `edgenode spool export`.
        """
        births = Births(read_births(path))
        nodes = {birth.node for birth in map(births.decoded, births) if birth is not None}
        if not nodes or self.node in nodes:
            return None
        return Left(str(path), ", ".join(sorted(node.hex() for node in nodes)), bytes_of(path))

    def _put_away(self, path: Path) -> list[SpoolReason]:
        """Remove a spool that was never used; quarantine one whose halves are both lost."""
        used = (path / "journal").read_bytes().strip(b"\0") or (path / "quarantine").exists()
        if used:
            files = [item for item in path.iterdir() if item.is_file()]
            budget = self.options.cap_bytes // QUARANTINE_SHARE
            set_aside(self.options.directory, files, "journal and store are both lost", budget)
        shutil.rmtree(path)
        return [SpoolReason.JOURNAL_LOST, SpoolReason.STORE_LOST] if used else []

    def _current(self, evidence: list[Evidence]) -> Evidence | None:
        """Return the newest spool that this board may go on with."""
        mine = [
            item
            for item in evidence
            if not item.lost()
            and (UNKNOWN in (self.board, item.who()[0]) or item.who()[0] == self.board)
        ]
        return max(mine, key=lambda item: item.who()[2:], default=None)

    def _epoch(self, evidence: list[Evidence]) -> int:
        """Count a new kernel boot; the first epoch of a directory is the minute of its making.

        So the epochs of a new card do not repeat those of the card before, whose anchors a
        receiver keeps under the same node.
        """
        told = [item.who() for item in evidence if not item.lost()]
        if not told:
            return max(1, (self.clock.utc_ms() - FIRST_DAY_MS) // MINUTE_MS)
        _, boot, epoch, _ = max(told, key=lambda row: row[2:])
        return epoch if boot == self.boot else epoch + 1

    def _drain(self, item: Evidence, epoch: int) -> Core | None:
        """Return the core of a spool that only sends what it still holds, under its own id.

        One that holds nothing any more is removed.
        """
        board, boot, own, _ = (UNKNOWN, UNKNOWN, epoch, 0) if item.lost() else item.who()
        identity = Identity(self.node, item.spool, board, boot, own, self.schema)
        core = self._revive(item, identity, epoch, lambda _: None)
        if core.spent() and item.path:
            core.journal.close()
            core.store.database.abandon()
            core.outbox.close()
            shutil.rmtree(item.path)
            return None
        return core

    def _revive(
        self, item: Evidence, identity: Identity, epoch: int, release: Callable[[int], None]
    ) -> Core:
        def make_outbox(identity: Identity, store: Store, births: Births) -> Outbox:
            return self._outbox(identity.spool, epoch, store, births)

        now = self.clock.boot_ms()
        return revive(
            item, Surroundings(self.options, identity, self.birth, now, make_outbox, release)
        )

    def _outbox(
        self, spool: bytes, epoch: int, store: Store, births: Mapping[bytes, bytes]
    ) -> Outbox:
        return Outbox(
            spool,
            epoch,
            store,
            births,
            custody=self.options.custody,
            alarm=self.callbacks.alarm,
            wake=self.callbacks.wake,
        )

    def _open_in_memory(self, error: OSError | sqlite3.Error) -> Opened:
        """Begin a spool of its own id that ends with the process: no seq of another is reused."""
        cap = min(self.options.cap_bytes, MEMORY_CAP)
        store = Store(Path(":memory:"), cap, pregrow=False)
        store.database.prepare()
        spool = secrets.token_bytes(8)
        epoch = max(1, (self.clock.utc_ms() - FIRST_DAY_MS) // MINUTE_MS)
        identity = Identity(self.node, spool, self.board, self.boot, epoch, self.schema)
        nothing = Found(None, (), (), 0)
        evidence = Evidence(None, MemoryRing(), nothing, store, None, {}, salvaged=False)
        core = self._revive(evidence, identity, epoch, self.callbacks.release)
        words = (
            f"no spool can be kept in {self.options.directory}: {error}; samples are in memory "
            "only: make room or make it writable, and the daemon starts anew on it"
        )
        return Opened(core, troubles=[trouble_of(error)], degraded=words)


class MemoryRing:
    """Takes the place of the journal where no disk can be written: nothing survives."""

    def fits(self, payload: bytes, totals: int, oldest: int | None) -> bool:  # noqa: ARG002 - a Ring
        return True

    def commit(self, payload: bytes, status: Status) -> tuple[int, int]:  # noqa: ARG002 - a Ring
        return 0, 0

    def close(self) -> None:
        """Nothing is open."""


def trouble_of(error: Exception) -> SpoolReason:
    """Sort an error of the disk by what an operator can do about it."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    number = getattr(error, "errno", None)
    if code == sqlite3.SQLITE_FULL or number in (errno.ENOSPC, errno.EDQUOT):
        return SpoolReason.DISK_FULL
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM) or (
        number in (errno.EROFS, errno.EACCES, errno.EPERM)
    ):
        return SpoolReason.READ_ONLY
    return SpoolReason.IO_ERROR
