"""What becomes of messages: stored raw, known already, kept aside, noted, or refused."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from edgenode.cityos.archive import Archive, Arrived
from edgenode.cityos.schema import Work
from edgenode.cityos.sink import Sink
from edgenode.cityos.sorting import Refusal, sort
from edgenode.wire import MAX_BYTES, NO_SPOOL, About, Batch, Birth, State

MAX_REFUSED = 256  # messages kept for a person to look at
MAX_VERSION = 4_096  # messages of another version; the node still holds them, no ack names them
MAX_CONFLICTS = 100_000  # kept aside; beyond it only counted and alarmed


class Incoming(NamedTuple):
    """A message as it came from a broker; `arrival` is the receiver's POSIX ms."""

    topic: str
    payload: bytes
    arrival: int
    retained: bool = False


class Outcome(Enum):
    """What became of a message."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    NOTED = "noted"  # a birth, about or state, or one that was cleared
    REFUSED = "refused"


class Receipt(NamedTuple):
    """The outcome, and of whom; `schema` is set where it names a birth that is not known."""

    outcome: Outcome
    node: bytes = b""
    spool: bytes = b""
    schema: bytes | None = None


class Intake:
    """Takes messages in, inside the caller's transaction."""

    def __init__(self, sink: Sink, prefix: str) -> None:
        self._sink = sink
        self._prefix = prefix
        self._archive = Archive(sink)

    def accept(self, messages: Sequence[Incoming]) -> list[Receipt]:
        """Take messages; nothing is durable before the transaction ends.

        Births come before batches, whatever their order, and rows in the order of their keys.
        """
        return _Round(self._sink, self._archive, self._prefix, messages).run()


class _Round:
    """The messages of one transaction, and what is noted about them."""

    def __init__(
        self, sink: Sink, archive: Archive, prefix: str, messages: Sequence[Incoming]
    ) -> None:
        self._sink = sink
        self._db = sink.db
        self._archive = archive
        self._messages = messages
        self._sorted = [sort(prefix, x.topic, x.payload) for x in messages]
        self._receipts = [Receipt(Outcome.NOTED)] * len(messages)
        self._counts: Counter[tuple[bytes, str]] = Counter()
        self._alarms: dict[int, tuple[bytes, str, str]] = {}  # by the place of the message

    def run(self) -> list[Receipt]:
        for i, found in enumerate(self._sorted):
            if isinstance(found, Refusal):
                self._receipts[i] = self._refuse(self._messages[i], i, found)
            elif found is not None:
                self._receipts[i] = Receipt(Outcome.NOTED, found.node)
        pairs = list(zip(self._messages, self._sorted, strict=True))
        births = [(found, x) for x, found in pairs if isinstance(found, Birth)]
        for birth, message in sorted(births, key=lambda pair: (pair[0].node, pair[0].schema)):
            self._birth(birth, message)
        about = {found.node: x for x, found in pairs if isinstance(found, About)}
        for node, message in sorted(about.items()):
            self._about(node, message)
        states = [(found, x) for x, found in pairs if isinstance(found, State)]
        # Of NO_SPOOL a node only tries its rights; it is as it was.
        self._states([(state, x) for state, x in states if state.spool != NO_SPOOL])
        self._batches()
        self._settle()
        return self._receipts

    def _refuse(self, message: Incoming, place: int, why: Refusal) -> Receipt:
        digest = hashlib.sha256(message.payload).digest()
        kept = self._db.execute(
            "INSERT INTO refused (reason, detail, topic, digest, bytes, arrival)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (why.reason, why.detail, message.topic, digest, message.payload[:MAX_BYTES],
             message.arrival),
        )  # fmt: skip
        if kept.rowcount:
            self._alarms[place] = why
            others, most = ("=", MAX_VERSION) if why.reason == "version" else ("!=", MAX_REFUSED)
            self._db.execute(
                f"DELETE FROM refused WHERE reason {others} 'version' AND id <= (SELECT id FROM"  # noqa: S608 - our own text
                f" refused WHERE reason {others} 'version' ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (most,),
            )
        self._counts[why.node, "refused"] += 1
        return Receipt(Outcome.REFUSED, why.node)

    def _batches(self) -> None:
        places = [i for i, found in enumerate(self._sorted) if isinstance(found, Batch)]
        batches = [found for found in self._sorted if isinstance(found, Batch)]
        wanted = sorted({(batch.node, batch.schema) for batch in batches})
        births = self._sink.each("SELECT 1 FROM birth WHERE node = ? AND schema = ?", wanted)
        known = {key: bool(rows) for key, rows in zip(wanted, births, strict=True)}
        arrived = [
            Arrived(batch, x.payload, x.arrival, x.topic, known[batch.node, batch.schema])
            for batch, x in zip(batches, (self._messages[i] for i in places), strict=True)
        ]
        held = self._archive.store(arrived)
        for place, new, old in zip(places, arrived, held, strict=True):
            outcome = self._outcome(place, new, old)
            schema = None if new.known else new.batch.schema
            self._receipts[place] = Receipt(outcome, new.batch.node, new.batch.spool, schema)

    def _outcome(self, place: int, new: Arrived, old: bytes | None) -> Outcome:
        if old is None:
            return Outcome.STORED
        if old == new.payload:
            self._counts[new.batch.node, "duplicate"] += 1
            return Outcome.DUPLICATE
        self._conflict(place, new)
        return Outcome.CONFLICT

    def _conflict(self, place: int, new: Arrived) -> None:
        """Keep a second copy with other bytes aside: two nodes may share one card's contents."""
        held = self._db.execute("SELECT count(*) FROM conflict").fetchone()[0]
        if held < MAX_CONFLICTS:
            self._db.execute(
                "INSERT INTO conflict (node, spool, stream, seq, digest, bytes, arrival, topic)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*new.key, hashlib.sha256(new.payload).digest(), new.payload, new.arrival,
                 new.topic),
            )  # fmt: skip
        batch = new.batch
        detail = (
            f"batch {batch.stream}/{batch.seq} of spool {batch.spool.hex()} came twice with "
            "different bytes: a cloned card? Give each node a spool of its own"
        )
        self._alarms[place] = (batch.node, "conflict", detail)

    def _birth(self, birth: Birth, message: Incoming) -> None:
        fresh = self._db.execute(
            "INSERT INTO birth VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (birth.node, birth.schema, message.payload, message.arrival),
        )
        if not fresh.rowcount:
            return
        self._db.executemany(
            "INSERT INTO channel (node, schema, gid, place, name, unit, scale, kind, observed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(birth.node, birth.schema, gid, place, c.name, c.unit, c.scale, int(c.kind),
              c.observed)
             for gid, channels in birth.groups.items() for place, c in enumerate(channels)],
        )  # fmt: skip
        self._db.execute(
            "UPDATE raw SET work = ? WHERE node = ? AND schema = ? AND work = 0",
            (int(Work.READY), birth.node, birth.schema),
        )

    def _about(self, node: bytes, message: Incoming) -> None:
        self._db.execute(
            "INSERT INTO about VALUES (?, ?, ?) ON CONFLICT (node)"
            " DO UPDATE SET bytes = excluded.bytes, arrival = excluded.arrival",
            (node, message.payload, message.arrival),
        )

    def _states(self, states: list[tuple[State, Incoming]]) -> None:
        """Note who is connected, and when each connection was heard first.

        Of one node these moments ascend as the messages came, be they of one millisecond or of
        receivers whose clocks differ: the last of them tells which spool is in use.
        """
        nodes = sorted({state.node for state, _ in states})
        heard = self._sink.each(
            "SELECT coalesce(max(arrival), 0) FROM state WHERE node = ?",
            [(node,) for node in nodes],
        )
        last = {node: int(rows[0][0]) for node, rows in zip(nodes, heard, strict=True)}
        timed = []
        for state, message in states:
            last[state.node] = max(message.arrival, last[state.node] + 1)
            timed.append((state, last[state.node]))
        for state, arrival in sorted(timed, key=lambda pair: (pair[0].node, pair[0].spool)):
            self._state(state, arrival)

    def _state(self, state: State, arrival: int) -> None:
        """Take the highest (epoch, connect); of one connection, offline comes after online.

        That it ended is no new connection: `arrival` stays when it was heard first.
        """
        self._db.execute(
            "INSERT INTO spool (node, spool, arrival) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (state.node, state.spool, arrival),
        )
        self._db.execute(
            "INSERT INTO state VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (node, spool) DO UPDATE SET"
            " online = excluded.online, epoch = excluded.epoch,"
            " connect_ms = excluded.connect_ms, arrival = CASE"
            " WHEN (excluded.epoch, excluded.connect_ms) > (state.epoch, state.connect_ms)"
            " THEN excluded.arrival ELSE state.arrival END"
            " WHERE (excluded.epoch, excluded.connect_ms, state.online)"
            " > (state.epoch, state.connect_ms, excluded.online)",
            (state.node, state.spool, int(state.online), state.epoch, state.connect_ms, arrival),
        )

    def _settle(self) -> None:
        """Write down what happened and who was heard."""
        for place, (node, kind, detail) in sorted(self._alarms.items()):
            self._sink.alarm(self._messages[place].arrival, node, kind, detail)
            self._counts[node, kind] += 1
        for (node, name), n in sorted(self._counts.items()):
            self._sink.count(node, name, n)
        seen: dict[bytes, int] = {}
        for message, found in zip(self._messages, self._sorted, strict=True):
            if not (message.retained or found is None or isinstance(found, Refusal)):
                seen[found.node] = message.arrival
        self._db.executemany(
            "INSERT INTO node (node, first_seen, last_seen) VALUES (?, ?, ?)"
            " ON CONFLICT (node) DO UPDATE SET silent = 0, last_seen ="
            " CASE WHEN excluded.last_seen > node.last_seen THEN excluded.last_seen"
            " ELSE node.last_seen END",
            [(node, arrival, arrival) for node, arrival in sorted(seen.items())],
        )
