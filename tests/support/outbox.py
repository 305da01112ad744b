"""A spool's outbox in memory: the custody rules without a disk, for tests of the uplink."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from edgenode.errors import CityError
from edgenode.reading import Channel
from edgenode.spool import Sealed
from edgenode.wire import Ack, Batch, Birth, Rows, encode, schema_of

NODE = bytes.fromhex("a1b2c3d4e5f6")
SPOOL = bytes.fromhex("0102030405060708")
CHANNELS = {1: (Channel("air/temperature", "Cel", -2),)}
SCHEMA = schema_of(CHANNELS)
BIRTH = Birth(NODE, CHANNELS)

STREAMS = range(16)
Key = tuple[int, int]  # stream, seq


@dataclass
class _Held:
    sealed: Sealed
    where: str = "sealed"  # in flight, unconfirmed, aside
    live: bool = False


class MemoryOutbox:
    """Keeps every batch until the City OS (or with custody = broker, the broker) acked it."""

    def __init__(self, spool: bytes = SPOOL, custody: str = "city", epoch: int = 3) -> None:
        self.spool = spool
        self.epoch = epoch
        self.ready_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.aside: list[tuple[int, int, str]] = []
        self.foreign_acks: list[Ack] = []
        self.known_birth = True
        self._custody = custody
        self._held: dict[Key, _Held] = {}
        self._next: dict[int, int] = {}
        self._lock = threading.RLock()
        self._session = False
        self.sparing = False

    def __del__(self) -> None:
        os.close(self.ready_fd)

    def seal(self, count: int = 1, *, stream: int = 0, alarm: bool = False, rows: int = 6) -> None:
        """Seal `count` batches of `rows` readings."""
        with self._lock:
            for _ in range(count):
                seq = self._next.get(stream, 1)
                self._next[stream] = seq + 1
                times = range(seq * 60_000, seq * 60_000 + rows * 1_000, 1_000)
                values = [seq * 7 + i * i * 31 % 997 for i in range(rows)]
                group = Rows(1, 1_000, list(times), (values,))
                batch = Batch(
                    NODE, self.epoch, seq, (seq - 1) * rows, SCHEMA, seq * 60_000, self.spool,
                    groups=(group,), stream=stream, held=1,
                )  # fmt: skip
                sealed = Sealed(stream, seq, SCHEMA, encode(batch, BIRTH), rows, alarm)
                self._held[stream, seq] = _Held(sealed, live=self._session)
        os.eventfd_write(self.ready_fd, 1)

    def begin_session(self) -> None:
        with self._lock:
            self._session = True
            for held in self._held.values():
                held.live = False

    def end_session(self) -> None:
        with self._lock:
            self._session = False
            for held in self._held.values():
                if held.where == "in flight":
                    held.where = "sealed"

    def spare(self, sparing: bool) -> None:  # noqa: FBT001 - the contract's
        self.sparing = sparing

    def release(self, stream: int, seq: int) -> None:
        with self._lock:
            self._held[stream, seq].where = "sealed"
        os.eventfd_write(self.ready_fd, 1)

    def take(
        self,
        live: bool,  # noqa: FBT001 - the contract's
        limit: int,
        streams: Collection[int] = STREAMS,
    ) -> Sequence[Sealed]:
        with self._lock:
            ready = [h for h in self._held.values() if h.where == "sealed" and h.live == live]
            ready = [h for h in ready if h.sealed.stream in streams]
            ready.sort(key=lambda h: (not h.sealed.alarm, h.sealed.seq))
            for held in ready[:limit]:
                held.where = "in flight"
            return [held.sealed for held in ready[:limit]]

    def broker_acked(self, stream: int, seq: int) -> None:
        with self._lock:
            if self._custody == "broker":
                self._held.pop((stream, seq), None)
            elif (stream, seq) in self._held:
                self._held[stream, seq].where = "unconfirmed"

    def city_acked(self, ack: Ack) -> None:
        with self._lock:
            if ack.spool != self.spool:
                self.foreign_acks.append(ack)
                return
            for stream, ranges in ack.ranges.items():
                if any(last >= self._next.get(stream, 1) for _, last in ranges):
                    raise CityError(f"stream {stream}: ack for a seq that was never sent")
            for stream, ranges in ack.ranges.items():
                for first, last in ranges:
                    for seq in range(first, last + 1):
                        self._held.pop((stream, seq), None)
            for stream, first, last in ack.resend:
                for seq in range(first, last + 1):
                    if (stream, seq) in self._held:
                        self._held[stream, seq].where = "sealed"

    def set_aside(self, stream: int, seq: int, reason: str) -> None:
        with self._lock:
            self._held[stream, seq].where = "aside"
            self.aside.append((stream, seq, reason))

    def unconfirmed(self) -> int:
        with self._lock:
            return sum(held.where == "unconfirmed" for held in self._held.values())

    def oldest_unconfirmed(self, streams: Collection[int] = STREAMS) -> Sealed | None:
        with self._lock:
            waiting = (h.sealed for h in self._held.values() if h.where == "unconfirmed")
            return next((sealed for sealed in waiting if sealed.stream in streams), None)

    def reached(self, stream: int, seq: int) -> Literal["open", "sealed", "broker", "city"]:
        with self._lock:
            held = self._held.get((stream, seq))
            if held is None:
                return "city"
            return "broker" if held.where == "unconfirmed" else "sealed"

    def birth(self, schema: bytes) -> bytes | None:
        return encode(BIRTH) if self.known_birth and schema == SCHEMA else None

    def sealed(self, stream: int, seq: int) -> Sealed:
        """Return a batch that is held."""
        return self._held[stream, seq].sealed

    def held(self) -> set[Key]:
        """What the node still answers for."""
        with self._lock:
            return set(self._held)

    def where(self, stream: int, seq: int) -> str:
        """Return who has custody of a batch, "gone" when the node has not."""
        with self._lock:
            held = self._held.get((stream, seq))
            return "gone" if held is None else held.where
