"""Which sealed batch goes next: the live lane, the backlog lane, and what must be sent again."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from edgenode.reading import Stream
from edgenode.spool.acks import Acks
from edgenode.spool.checksum import row_crc
from edgenode.spool.model import STREAMS, Sealed
from edgenode.spool.ranges import Ranges
from edgenode.spool.store import Store, batch_id, place_of

_ORDER = (  # (stream, alarm) in the order of sending
    (Stream.EVENTS, 1),
    (Stream.EVENTS, 0),
    (Stream.TELEMETRY, 0),
    (Stream.HEALTH, 0),
    (Stream.AUDIT, 0),
)
_COLUMNS = "id, epoch, schema, r0, readings, alarm, t, data, crc"
_NEXT = (
    f"SELECT {_COLUMNS} FROM batch AS b WHERE id >= ? AND id < ? AND alarm = ?"  # noqa: S608 - own text
    " AND NOT EXISTS (SELECT 1 FROM custody AS c WHERE c.id = b.id) ORDER BY id LIMIT 1"
)
_AGAIN = (
    f"SELECT {_COLUMNS} FROM batch AS b WHERE id BETWEEN ? AND ?"  # noqa: S608 - own text
    " AND NOT EXISTS (SELECT 1 FROM custody AS c WHERE c.id = b.id AND state = 2)"
    " ORDER BY id LIMIT 1"
)


class Lanes:
    """Cursors over the store, never a list of it: a week offline is tens of thousands of batches.

    Methods raise sqlite3.Error when the store cannot be read. `lock` guards what is in memory
    (also the acks) and is never held while the store is read.
    """

    def __init__(self, store: Store, acks: Acks, lock: threading.Lock) -> None:
        self.store = store
        self.sendable = dict.fromkeys(STREAMS, 0)  # seqs below may be sent
        self.resent = 0
        self.damaged = False  # a batch did not fit its checksum
        self._acks = acks
        self._lock = lock
        self._begun = dict.fromkeys(STREAMS, 0)  # seqs below were sealed by an earlier process
        self._bound = dict.fromkeys(STREAMS, 0)  # seqs below are backlog
        self._cursors: dict[tuple[bool, int, int], int] = {}
        self._in_flight: set[int] = set()
        self._returned: dict[int, None] = {}
        self._again = {stream: Ranges() for stream in STREAMS}
        self._taken = {stream: Ranges() for stream in STREAMS}

    def start(self, next_seqs: Mapping[int, int]) -> None:
        """Say where this process begins to seal."""
        self._begun = dict(next_seqs)

    def begin_session(self) -> None:
        """Begin from the oldest again, with nothing in flight."""
        with self._lock:
            self._bound = dict(self.sendable)
            self._cursors.clear()
            self._in_flight.clear()
            self._returned.clear()

    def candidates(self, *, live: bool, streams: Collection[int] = STREAMS) -> Iterator[Sealed]:
        """Yield the batches of a lane in their order, each in flight from then on."""
        for key in list(self._returned):
            stream, seq = place_of(key)
            if stream in streams and (seq >= self._bound[stream]) == live:
                self._returned.pop(key, None)
                yield from self._marked(self.store.all(_AGAIN, key, key))
        if not live:
            yield from self._wanted_again(streams)
        for stream, alarm in _ORDER:
            if stream in streams:
                yield from self._lane(live, stream, alarm)

    def _lane(self, live: bool, stream: int, alarm: int) -> Iterator[Sealed]:  # noqa: FBT001 - a key
        lane = (live, stream, alarm)
        while True:
            low = self._cursors.get(lane, self._bound[stream] if live else 0)
            high = self.sendable[stream] if live else self._bound[stream]
            if low >= high:
                return
            rows = self.store.all(_NEXT, batch_id(stream, low), batch_id(stream, high), alarm)
            self._cursors[lane] = place_of(rows[0][0])[1] + 1 if rows else high
            yield from self._marked(rows)

    def _wanted_again(self, streams: Collection[int]) -> Iterator[Sealed]:
        for stream, ranges in self._again.items():
            while stream in streams and ranges:
                low, high = next(iter(ranges))
                rows = self.store.all(_AGAIN, batch_id(stream, low), batch_id(stream, high))
                ranges.remove(low, place_of(rows[0][0])[1] if rows else high)
                for sealed in self._marked(rows, again=True):
                    self.resent += 1
                    yield sealed

    def _marked(self, rows: list[Any], *, again: bool = False) -> Iterator[Sealed]:
        """Mark batches as in flight, leaving out what needs no sending, or is damaged."""
        for row in rows:
            if row_crc("batch", *row[:-1]) != row[-1]:
                self.damaged = True
                continue
            key, _, schema, _, readings, alarm, _, data, _ = row
            stream, seq = place_of(key)
            with self._lock:
                done = self._acks.pruning(key) if again else self._acks.done(key)
                if done or key in self._in_flight:
                    continue
                self._in_flight.add(key)
                self._taken[stream].add(seq, seq)
            yield Sealed(stream, seq, schema, data, readings, bool(alarm))

    def read(self, key: int) -> Sealed | None:
        """Return a batch without taking it; None where it is not held, or damaged."""
        for row in self.store.all(_AGAIN, key, key):
            if row_crc("batch", *row[:-1]) == row[-1]:
                return Sealed(*place_of(key), row[2], row[7], row[4], bool(row[5]))
            self.damaged = True
        return None

    # --- with the lock held ---

    def landed(self, key: int) -> None:
        """Note that a batch is no longer in flight, and need not be sent again."""
        self._in_flight.discard(key)

    def returned(self, key: int) -> None:
        """Note that a batch is no longer in flight, and shall be taken again."""
        self._in_flight.discard(key)
        self._returned[key] = None

    def flying(self, key: int) -> bool:
        return key in self._in_flight

    def in_flight(self) -> int:
        return len(self._in_flight)

    def want_again(self, stream: int, low: int, high: int) -> None:
        """Let low..high be taken once more, whoever acked them."""
        self._again[stream].add(low, high)

    def may_have_sent(self, stream: int, low: int, high: int) -> bool:
        """Tell whether each of low..high was taken, or may have been by an earlier process."""
        begun = self._begun[stream]
        known = high < max(self.sendable[stream], begun)
        return known and self._taken[stream].covers(max(low, begun), high)
