"""A change of the groups while the spool runs: asked for by one thread, done by the spool's."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping

from edgenode.errors import SpoolError
from edgenode.reading import Groups
from edgenode.spool.births import describe
from edgenode.spool.core import JournalFull
from edgenode.spool.door import Door
from edgenode.spool.keeper import Keeper
from edgenode.spool.window import Window

WAIT_S = 15.0  # for the spool thread, which may sit in a flush
Doors = Mapping[int, Door]


class Regroup:
    """One request. Either all of it is done or nothing is, whoever gives up first."""

    def __init__(self, node: bytes, groups: Groups) -> None:
        """Make the birth; raises WireError or SpoolError where the groups can have none."""
        self.groups = groups
        self.schema, self.birth = describe(node, groups)
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._over = False  # switched, refused, or given up
        self._problem = ""

    def wait(self, timeout_s: float = WAIT_S) -> None:
        """Wait until it is done; raises SpoolError when it is not."""
        if not self._answered.wait(timeout_s):
            with self._lock:
                if not self._over:
                    self._over = True
                    self._problem = f"the spool did not get to it in {timeout_s:.0f} s"
        if self._problem:
            raise SpoolError(
                f"the channels were not changed: {self._problem}; look at the disk, then try again"
            )

    def serve(self, doors: Doors, keeper: Keeper, window: Window, now: int) -> Doors:
        """Do it, on the spool's thread; return the doors that hold from now on, then `answer`.

        Everything that came through the old doors is committed and sealed under the old schema,
        and the birth of the next one is durable before its first row. A crash between any two
        steps leaves rows of the old schema, which recovery seals under it.
        """
        kept = {gid: door for gid, door in doors.items() if door.group == self.groups.get(gid)}
        leaving = [door for gid, door in doors.items() if gid not in kept]
        window.shut(leaving, shut=True)
        switched = False
        try:
            keeper.finish(now)
            keeper.core.learn(self.schema, self.birth)
            switched = self._switch(lambda: keeper.adopt(self.schema))
        except (OSError, sqlite3.Error, JournalFull) as error:
            self._problem = str(error)
        finally:
            if not switched:
                window.shut(leaving, shut=False)
        if not switched:
            return doors
        return {gid: kept.get(gid) or Door(group) for gid, group in self.groups.items()}

    def answer(self) -> None:
        """Let the one who waits go on."""
        self._answered.set()

    def _switch(self, change: Callable[[], None]) -> bool:
        """Do what cannot fail, unless the other side gave up before."""
        with self._lock:
            if not self._over:
                change()
                self._over = True
                return True
            return False
