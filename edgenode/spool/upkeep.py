"""What the spool thread does between commits: look after the store, and replace a damaged one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from edgenode.reading import SpoolReason
from edgenode.spool.core import Core
from edgenode.spool.options import SpoolOptions
from edgenode.spool.rebuild import rebuild

SLICE_MS = 250  # between two slices of upkeep
ROWS = 32  # whose checksum is looked at in one slice
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
LATER_MS = 60_000  # when there is nothing to do


class Upkeep:
    """One slice at a time: first the pages of every store are checked, then grown."""

    def __init__(
        self,
        cores: Sequence[Core],
        options: SpoolOptions,
        tell: Callable[[SpoolReason], None],
        now: int,
    ) -> None:
        self._cores = cores
        self._options = options
        self._tell = tell
        self._at = now + SLICE_MS
        self._paged: set[int] = set()  # cores whose pages are checked
        self._rows: dict[int, int | None] = {}  # the last batch checked; None: all are

    def mend(self) -> None:
        """Replace a store that could not be read. Raises OSError or sqlite3.Error."""
        for core in self._cores:
            if core.outbox.suspect and core.path:
                store = rebuild(core.path, self._options, "damaged while in use", core.store)
                core.renew(store)
                self._tell(SpoolReason.STORE_SALVAGED)

    def step(self, now: int) -> int:
        """Do one slice when it is due; return when the next is."""
        if now < self._at:
            return self._at
        busy = False
        for core in self._cores:
            if core.path is None:
                continue
            try:
                busy = self._check(core) or core.store.database.tend() or busy
            except sqlite3.DatabaseError as error:
                if (getattr(error, "sqlite_errorcode", 0) & 0xFF or 11) not in DAMAGE:
                    raise
                core.outbox.suspect = busy = True
        self._at = now + (SLICE_MS if busy else LATER_MS)
        return self._at

    def _check(self, core: Core) -> bool:
        """Check all pages, then the rows in slices; return whether there is more."""
        key = id(core)
        if key not in self._paged:
            self._paged.add(key)
            self._rows[key] = 0
            core.store.check()
            return True
        after = self._rows[key]
        if after is None:
            return False
        sound, self._rows[key] = core.store.check_rows(after, ROWS)
        if not sound:
            core.outbox.suspect = True
        return True
