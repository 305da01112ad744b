"""The uplink's side of one spool: what may be sent, and who has taken custody of it."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Mapping
from itertools import islice
from typing import Literal

from edgenode.errors import CityError
from edgenode.reading import Event, EventCode, SpoolReason
from edgenode.spool.acks import Acks, Pending
from edgenode.spool.lanes import Lanes
from edgenode.spool.model import STREAMS, Sealed
from edgenode.spool.store import Store, batch_id
from edgenode.wire import Ack

FLUSH_AT = 500  # acks waiting; fewer wait for the next seal
MAX_TAKE = 64
MAX_ASKED = 64  # ranges of one request; the City OS asks again for the rest
_UNCONFIRMED = "SELECT id FROM custody WHERE state = 1 AND id >= ? AND id < ? ORDER BY id LIMIT 64"
_TAKEN = "SELECT count(*) FROM custody WHERE id = ? AND state = 1"


class Outbox:
    """Sealed batches of one spool. Called from the uplink's thread; `step()` runs beside it.

    Reading a batch waits for the store's lock; noting an ack never does.
    """

    def __init__(
        self,
        spool: bytes,
        epoch: int,
        store: Store,
        births: Mapping[bytes, bytes],
        *,
        custody: Literal["city", "broker"],
        alarm: Callable[[Event], None],
        wake: Callable[[], None],
    ) -> None:
        self.spool = spool
        self.epoch = epoch
        self.ready_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.online = False
        self.sparing = False  # bytes are dear: windows are those of a node that is offline
        self.suspect = False  # reading the store failed: the spool thread shall look at it
        self.asked: list[tuple[int, int, int]] = []  # ranges that the City OS wants again
        self._births = births
        self._custody = custody
        self._alarm = alarm
        self._wake = wake
        self._lock = threading.Lock()
        self._acks = Acks()
        self._lanes = Lanes(store, self._acks, self._lock)
        self.held, self._unconfirmed = store.held(), store.unconfirmed()
        self._leaving = 0  # acked, not pruned yet, and no longer unconfirmed

    # --- the spool thread's side ---

    def start(self, next_seqs: Mapping[int, int]) -> None:
        """Say where this process begins to seal."""
        self._lanes.start(next_seqs)

    def publish(self, next_seqs: Mapping[int, int]) -> None:
        """Let everything below these seqs be sent: a journal block that says so is durable."""
        with self._lock:
            news = any(next_seqs[stream] > self._lanes.sendable[stream] for stream in STREAMS)
            self._lanes.sendable = dict(next_seqs)
        if news:
            self._signal()

    def renew(self, store: Store) -> None:
        """Go on with another store, which holds what could be saved of the first."""
        self._lanes.store = store
        self._lanes.damaged = self.suspect = False
        self.begin_session(online=self.online)
        self.held = store.held()
        self._recount()

    def collect(self, first_held: dict[int, int]) -> Pending:
        """Return the acks that the next transaction shall write."""
        with self._lock:
            return self._acks.collect(first_held)

    def settled(self, pending: Pending, held: int) -> None:
        """Take note that these acks are durable, and how many batches the store holds now."""
        with self._lock:
            self._acks.settled(pending)
            self.held = held
        self._recount()
        if pending.pruned:
            self._signal()

    def _recount(self) -> None:
        """Count anew what waits for the City OS, less what waits to be pruned."""
        store = self._lanes.store
        with self._lock:
            spans, fresh = self._acks.ranges(), set(self._acks.broker)
            self._leaving = self._leaving if spans else 0
        unconfirmed = store.unconfirmed()
        for span in spans:
            unconfirmed -= store.one(
                "SELECT count(*) FROM custody WHERE state = 1 AND id BETWEEN ? AND ?", *span
            )
        for key in fresh:
            unconfirmed += not store.one("SELECT 1 FROM custody WHERE id = ?", key)
        self._unconfirmed = unconfirmed

    def acks_waiting(self) -> int:
        """Return how many acks wait for a transaction."""
        with self._lock:
            return self._acks.waiting()

    @property
    def resent(self) -> int:
        """How many batches the City OS had sent again."""
        return self._lanes.resent

    def close(self) -> None:
        os.close(self.ready_fd)

    # --- the uplink's side ---

    def begin_session(self, *, online: bool = True) -> None:
        """Call what is sendable now backlog, and what becomes sendable later live."""
        self._lanes.begin_session()
        self.online = online
        self._wake()

    def spare(self, sparing: bool) -> None:  # noqa: FBT001 - a state
        """Say whether batches shall be few and large, since bytes are dear."""
        self.sparing = sparing
        self._wake()

    def end_session(self) -> None:
        """Make what was in flight sealed again; windows are those of a node that is offline."""
        self.begin_session(online=False)

    def take(
        self,
        live: bool,  # noqa: FBT001 - two lanes
        limit: int,
        streams: Collection[int] = STREAMS,
    ) -> list[Sealed]:
        """Return up to `limit` batches of a lane, now in flight; alarms first, then by age.

        Empty also when the store cannot be read just now, which the spool thread then repairs.
        """
        candidates = self._lanes.candidates(live=live, streams=streams)
        try:
            taken = list(islice(candidates, min(limit, MAX_TAKE)))
        except sqlite3.Error:
            taken = []
            self._suspect()
        if self._lanes.damaged:
            self._suspect()
        return taken

    def _suspect(self) -> None:
        self.suspect = True
        self._wake()

    def release(self, stream: int, seq: int) -> None:
        """Give a batch back that was taken and not sent."""
        with self._lock:
            self._lanes.returned(batch_id(stream, seq))
        self._signal()

    def broker_acked(self, stream: int, seq: int) -> None:
        """Note the PUBACK of that very batch; where the broker has custody it may go."""
        key = batch_id(stream, seq)
        with self._lock:
            self._lanes.landed(key)
            if self._custody == "broker":
                self._leaving += self._acks.city(stream, seq, seq)
            elif key not in self._acks.broker:
                self._acks.broker.add(key)
                self._unconfirmed += 1
            full = self._acks.waiting() > FLUSH_AT
        if full:
            self._wake()

    def set_aside(self, stream: int, seq: int, reason: str) -> None:
        """Keep the batch out of `take` from now on, also after a restart, and alarm."""
        key = batch_id(stream, seq)
        with self._lock:
            self._lanes.landed(key)
            self._acks.aside(key, reason[:200])
        self._alarm(Event(EventCode.SPOOL_DEGRADED, value=int(SpoolReason.SET_ASIDE)))

    def city_acked(self, ack: Ack) -> None:
        """Note what the City OS holds, and what it wants again.

        An ack for another spool says nothing. One that names a seq which was never sent is
        refused whole: alarm `tamper`, CityError.
        """
        if ack.spool != self.spool:
            return
        spans = [(int(s), *span) for s, ranges in ack.ranges.items() for span in ranges]
        with self._lock:
            forged = [span for span in spans if not self._possible(*span)]
            if not forged:
                self._note(ack, spans)
        if forged:
            self._alarm(Event(EventCode.TAMPER, value=int(SpoolReason.ALIEN_ACK)))
            stream, low, high = forged[0]
            raise CityError(
                f"the City OS acked {low}..{high} of stream {stream}, which this spool never sent: "
                "look for a second node with this id, or a forged ack on the broker"
            )
        if self.asked or max(self.acks_waiting(), self._unconfirmed) > FLUSH_AT:
            self._wake()
        self._signal()

    def _possible(self, stream: int, low: int, high: int) -> bool:
        return stream in STREAMS and self._lanes.may_have_sent(stream, low, high)

    def _note(self, ack: Ack, spans: list[tuple[int, int, int]]) -> None:
        news = [span for span in spans if self._acks.city(*span)]
        again = [
            (stream, low, min(high, self._lanes.sendable[stream] - 1))
            for stream, low, high in ack.resend[:MAX_ASKED]
            if stream in STREAMS
        ]
        for stream, low, high in again:
            if low <= high:
                self._acks.wanted_again(stream, low, high)
                self._lanes.want_again(stream, low, high)
                if len(self.asked) < MAX_ASKED:
                    self.asked.append((stream, low, high))
        if news:
            landed = self._acks.landed()
            self._unconfirmed -= landed
            self._leaving += landed

    def unconfirmed(self) -> int:
        """Return how many batches a broker acknowledged and the City OS did not."""
        return self._unconfirmed

    def oldest_unconfirmed(self, streams: Collection[int] = STREAMS) -> Sealed | None:
        """Return the oldest of those, without taking it."""
        try:
            for stream in streams:
                for key in self._unconfirmed_keys(stream):
                    if sealed := self._lanes.read(key):
                        return sealed
        except sqlite3.Error:
            self._suspect()
        return None

    def _unconfirmed_keys(self, stream: int) -> list[int]:
        low, high = batch_id(stream, 0), batch_id(stream + 1, 0)
        stored = [row[0] for row in self._lanes.store.all(_UNCONFIRMED, low, high)]
        with self._lock:
            fresh = [key for key in self._acks.broker if low <= key < high]
            return sorted(
                key
                for key in {*stored, *fresh}
                if not (self._acks.pruning(key) or self._lanes.flying(key))
            )

    def reached(self, stream: int, seq: int) -> Literal["open", "sealed", "broker", "city"]:
        """Return how far a batch of this process has come; any thread may ask.

        "open" is one that may not be sent yet, "city" one whose custody has ended, which is by the
        broker's word where that has custody. Raises KeyError for a stream that no spool has.
        """
        key = batch_id(stream, seq)
        with self._lock:
            if self._acks.known(stream, seq):
                return "city"
            if key in self._acks.broker:
                return "broker"
            if seq >= self._lanes.sendable[stream]:
                return "open"
        try:
            taken = self._lanes.store.one(_TAKEN, key)
        except sqlite3.Error:
            taken = 0
            self._suspect()
        return "broker" if taken else "sealed"

    def birth(self, schema: bytes) -> bytes | None:
        """Return the encoded birth of a schema of this spool."""
        return self._births.get(schema)

    def backlog(self) -> int:
        """Return how many batches no broker has acknowledged yet."""
        with self._lock:
            settled = self._unconfirmed + self._leaving
            return max(0, self.held - settled - self._lanes.in_flight())

    def _signal(self) -> None:
        os.eventfd_write(self.ready_fd, 1)
