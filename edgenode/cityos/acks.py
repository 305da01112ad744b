"""Acks: what the sink holds of a spool, what it misses, and when the node is told.

Every ack is whole, because it is retained and replaces the one before. At most one a second goes
to a node; all is computed from the sink at that moment.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from edgenode.cityos import durable
from edgenode.cityos.ranges import Range, holes, minus
from edgenode.cityos.sink import Sink
from edgenode.errors import CityError
from edgenode.wire import Ack

INTERVAL_MS = 1_000  # between two acks to one node
PATIENCE_MS = 5_000  # a gap or a missing birth is this old before it is asked for
PATIENCE_MAX_MS = 600_000  # and asked for again after twice as long each time, up to this
MAX_RANGES = 8_192  # in one ack, lowest first: 156 KB at most, so that an ack fits a message
MAX_RESEND = 64  # gaps asked for in one ack
MAX_BIRTHS = 64  # births asked for in one ack
SLACK = 64  # void entries the queue may hold beyond its nodes before it is made anew
RECENT_MS = 86_400_000  # spools that sent something in the last day are acked anew at start

Spool = tuple[bytes, bytes]  # node, spool


@dataclass(slots=True)
class _Wish:
    """Something missing, and when to ask for it next."""

    first: int  # of a gap: when it moves, the gap is being filled and need not be asked for
    due: int
    patience: int = PATIENCE_MS


@dataclass(slots=True)
class _Node:
    """What is to be told to one node; `dirty` keeps the order of first arrival."""

    due: int = 0  # not before
    at: int | None = None  # when the queue will bring this node up; older entries are void
    dirty: dict[bytes, None] = field(default_factory=dict)
    gaps: dict[bytes, dict[tuple[int, int], _Wish]] = field(default_factory=dict)  # stream, last
    births: dict[bytes, dict[bytes, _Wish]] = field(default_factory=dict)  # schema


class Acks:
    """Decides when a node is acked and with what. `now` is monotonic ms, `utc` POSIX ms."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._nodes: dict[bytes, _Node] = {}
        self._queue: list[tuple[int, bytes]] = []  # (when to look at a node, node), a heap

    def resume(self, now: int, utc: int) -> None:
        """Tell the nodes again what is held: the last ack before a crash may not have left."""
        for node, spool in self._sink.db.execute(
            "SELECT node, spool FROM spool JOIN node USING (node) WHERE last_seen > ? ORDER BY id",
            (utc - RECENT_MS,),
        ).fetchall():
            if durable.streams(self._sink.db, node, spool):
                self.touch(node, spool, now)

    def touch(self, node: bytes, spool: bytes, now: int) -> None:
        """Something of this spool arrived and is durable, be it anew or again."""
        entry = self._nodes.setdefault(node, _Node())
        entry.dirty[spool] = None
        self._schedule(node, entry, max(now, entry.due))

    def next_due(self) -> int | None:
        """Return when `take` may have something, None when nothing is waiting."""
        return self._queue[0][0] if self._queue else None

    def take(self, now: int, utc: int) -> list[Ack]:
        """Return the acks to publish now."""
        acks: list[Ack] = []
        while self._queue and self._queue[0][0] <= now:
            when, node = heapq.heappop(self._queue)
            entry = self._nodes[node]
            if when != entry.at:
                continue
            entry.at = None
            try:
                ack = self._one(node, entry, now, utc)
            except CityError:
                self._schedule(node, entry, when)  # the sink went away; nothing was told
                if acks:
                    return acks
                raise
            if ack is not None:
                acks.append(ack)
            self._again(node, entry)
        return acks

    def _schedule(self, node: bytes, entry: _Node, when: int) -> None:
        if entry.at is None or when < entry.at:
            entry.at = when
            heapq.heappush(self._queue, (when, node))
            if len(self._queue) > 2 * len(self._nodes) + SLACK:
                live = [(x.at, name) for name, x in self._nodes.items() if x.at is not None]
                heapq.heapify(live)
                self._queue = live

    def _one(self, node: bytes, entry: _Node, now: int, utc: int) -> Ack | None:
        spool = self._choose(entry, now)
        if spool is None:
            return None
        in_use = durable.spool_in_use(self._sink.db, node)
        ack = self._build(node, spool, now, utc)
        entry.dirty.pop(spool, None)
        entry.due = now + INTERVAL_MS
        if in_use not in {None, spool} and durable.streams(self._sink.db, node, in_use):
            entry.dirty[in_use] = None  # what stays retained is of the spool in use
        return ack

    def _choose(self, entry: _Node, now: int) -> bytes | None:
        """Take a spool that has news; else one with something missing whose time has come."""
        if entry.dirty:
            return next(iter(entry.dirty))
        for spool, gaps in entry.gaps.items():
            if any(wish.due <= now for wish in gaps.values()):
                return spool
        for spool, births in entry.births.items():
            if any(wish.due <= now for wish in births.values()):
                return spool
        return None

    def _again(self, node: bytes, entry: _Node) -> None:
        """Look at this node again when it may be told more."""
        times = [wish.due for gaps in entry.gaps.values() for wish in gaps.values()]
        times += [wish.due for births in entry.births.values() for wish in births.values()]
        if entry.dirty:
            times.append(entry.due)
        if times:
            self._schedule(node, entry, max(min(times), entry.due))

    def _build(self, node: bytes, spool: bytes, now: int, utc: int) -> Ack:
        db = self._sink.db
        ranges: dict[int, tuple[Range, ...]] = {}
        missing: list[tuple[int, int, int]] = []
        streams = durable.held(db, node, spool)
        lost = durable.lost(db, node, spool)
        for stream, held in streams.items():
            ranges[stream] = tuple(held.ranges[: MAX_RANGES // len(streams)])
            gaps = minus(holes(held.ranges, held.floor), lost.get(stream, ()))
            missing += [(stream, first, last) for first, last in gaps]
        return Ack(
            node=node,
            spool=spool,
            ranges=ranges,
            resend=self._resend(node, spool, missing, now),
            utc_ms=utc,
            births=self._births(node, spool, now),
        )

    def _resend(
        self, node: bytes, spool: bytes, missing: list[tuple[int, int, int]], now: int
    ) -> tuple[tuple[int, int, int], ...]:
        """Choose the gaps that have not shrunk for a while (key 31)."""
        entry = self._nodes[node]
        before = entry.gaps.get(spool, {})
        wishes: dict[tuple[int, int], _Wish] = {}
        for stream, first, last in missing[:MAX_RANGES]:
            wish = before.get((stream, last))
            if wish is None or wish.first != first:
                wish = _Wish(first, now + PATIENCE_MS)
            wishes[stream, last] = wish
        entry.gaps[spool] = wishes
        if not wishes:
            del entry.gaps[spool]
        due = [(key, wish) for key, wish in wishes.items() if wish.due <= now][:MAX_RESEND]
        for _, wish in due:
            _postpone(wish, now)
        return tuple((stream, wish.first, last) for (stream, last), wish in due)

    def _births(self, node: bytes, spool: bytes, now: int) -> tuple[bytes, ...]:
        """Choose the births that retained messages have not brought (key 33)."""
        entry = self._nodes[node]
        before = entry.births.get(spool, {})
        rows = self._sink.db.execute(
            "SELECT DISTINCT schema FROM raw WHERE node = ? AND spool = ? AND work = 0"
            " ORDER BY schema LIMIT ?",
            (node, spool, MAX_BIRTHS),
        )
        wishes = {row[0]: before.get(row[0], _Wish(0, now + PATIENCE_MS)) for row in rows}
        entry.births[spool] = wishes
        if not wishes:
            del entry.births[spool]
        due = [schema for schema, wish in wishes.items() if wish.due <= now]
        for schema in due:
            _postpone(wishes[schema], now)
        return tuple(due)


def _postpone(wish: _Wish, now: int) -> None:
    wish.patience = min(wish.patience * 2, PATIENCE_MAX_MS)
    wish.due = now + wish.patience
