"""Spool and uplink of a node as a fleet drives them: by turns, killed at will, links cut."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from edgenode.clock import Clock
from edgenode.fleet.custody import Tally
from edgenode.reading import Event, Groups
from edgenode.spool import Spool
from edgenode.spool.opening import Callbacks, Opener, short_hash
from edgenode.uplink import Broker, Uplink, UplinkOptions, meter
from edgenode.uplink.dial import Dialer, Dialled
from edgenode.uplink.outbox import Outbox
from edgenode.uplink.session import Connack, Session
from edgenode.uplink.wait import Desk, Turns


class PlayedSpool(Spool):
    """A Spool without a thread: `woken` says that `step` is wanted before its time."""

    woken = False

    def begin(self, node: bytes, groups: Groups, board: str) -> None:
        """Open the files, as `open` does."""
        callbacks = Callbacks(self._alarm, self.wake, self._release)
        opener = Opener(self.options, node, groups, self.clock, short_hash(board), callbacks)
        self._begin(opener.open())

    def wake(self) -> None:
        self.woken = True

    def serve(self) -> None:
        """Step, and again while something calls for it."""
        for _ in range(3):
            self.woken = False
            self.step()
            if not self.woken:
                return

    def flush(self) -> None:
        """Seal all that is there, whatever its window."""
        keeper, now = self._keepers[0], self.clock.boot_ms()
        keeper.commit(now)
        keeper.seal_everything(now)
        keeper.commit(now)  # what says that it may be sent

    def waiting(self) -> int:
        """Return how many batches nobody has taken over for good, and runs that are in none."""
        boxes = [self.outbox, *self.drains]
        held = sum(box.backlog() + box.unconfirmed() for box in boxes)
        return held + sum(1 for _ in self._core.unsealed)

    def backlog(self) -> int:
        """Return how many batches no broker has acknowledged."""
        return sum(box.backlog() for box in (self.outbox, *self.drains))

    def kill(self) -> None:
        """Let go of the files as the end of a process would, committing nothing."""
        self._closed = True
        for keeper in self._keepers:
            keeper.core.journal.close()
            keeper.core.store.database.abandon()
            keeper.core.outbox.close()
        if self._lock_fd is not None:
            os.close(self._lock_fd)


class _Meter(meter.Tally):
    """Adds up for the whole process what the budget of each node takes."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._sum = tally

    def add(self, sent: int, received: int) -> None:
        super().add(sent, received)
        self._sum.sent_bytes += sent
        self._sum.received_bytes += received


class _Gate(Dialer):
    """A dialler that counts its attempts, and fails at once while the link is down."""

    down = False
    tally: Tally

    def attempt(self, broker: Broker, desk: Desk) -> Turns[Dialled | None]:
        self.tally.attempts += 1
        if self.down:
            self._stats.last_error = f"{broker.address}: the link is down"
            return None
        return (yield from super().attempt(broker, desk))


class PlayedUplink(Uplink):
    """An Uplink whose link can be cut."""

    def __init__(
        self,
        options: UplinkOptions,
        spool: Spool,
        outboxes: Sequence[Outbox],
        about: bytes,
        clock: Clock,
        report: Callable[[Event], None],
        tally: Tally,
    ) -> None:
        super().__init__(options, outboxes, about, clock, report, spool.traffic)
        self._tally = tally
        self._budget.tally = _Meter(tally)
        self._gate = _Gate(options, clock, self._stats, self._will, self._budget.tally)
        self._gate.tally = tally
        self._dialer = self._gate
        self._session: Session | None = None

    def _serve(self, session: Session, connack: Connack, desk: Desk) -> Turns[bool]:
        self._session = session
        self._tally.sessions += 1
        return (yield from super()._serve(session, connack, desk))

    @property
    def connected(self) -> bool:
        return self._stats.connected

    def cut(self) -> None:
        """Take the link away; wake the desk after it."""
        self._gate.down = True
        self.drop("the link is down")

    def mend(self) -> None:
        """Give the link back; the next attempt finds out."""
        self._gate.down = False

    def drop(self, why: str) -> None:
        """Close the connection without a word."""
        if self._session is not None:
            self._session.drop(why)
            self._session = None
