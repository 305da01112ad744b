"""What becomes of a message: stored raw, known already, kept aside, noted, or refused."""

from __future__ import annotations

import hashlib
import zlib
from enum import Enum
from typing import NamedTuple

from edgenode.cityos.durable import extend
from edgenode.cityos.schema import Work
from edgenode.cityos.sink import Sink
from edgenode.cityos.topics import Address, parse
from edgenode.errors import UnknownVersion, WireError
from edgenode.wire import MAX_BYTES, About, Ack, Batch, Birth, State, decode

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
    """Takes messages in, one by one, inside the caller's transaction."""

    def __init__(self, sink: Sink, prefix: str) -> None:
        self._sink = sink
        self._db = sink.db
        self._prefix = prefix
        self._seen: dict[bytes, int] = {}

    def accept(self, message: Incoming) -> Receipt:
        """Take one message; nothing is durable before the transaction ends."""
        address = parse(self._prefix, message.topic)
        if address is None:
            return self._refuse(message, b"", "topic", "no node publishes on this topic")
        if not message.payload:
            return Receipt(Outcome.NOTED, address.node)  # a retained message was cleared
        try:
            decoded = decode(message.payload)
        except UnknownVersion as exc:
            return self._refuse(message, address.node, "version", str(exc))
        except WireError as exc:
            return self._refuse(message, address.node, "bytes", str(exc))
        if decoded.node != address.node:
            detail = f"the message of node {decoded.node.hex()} came on {message.topic}"
            return self._refuse(message, address.node, "forged", detail)
        if not message.retained:
            self._seen[address.node] = message.arrival
        return self._sort(address, message, decoded)

    def settle(self) -> None:
        """Write down who was heard; call it once before the transaction ends."""
        self._db.executemany(
            "INSERT INTO node (node, first_seen, last_seen) VALUES (?1, ?2, ?2) ON CONFLICT"
            " DO UPDATE SET last_seen = max(last_seen, ?2), silent = 0",
            self._seen.items(),
        )
        self._seen.clear()

    def _sort(
        self, address: Address, message: Incoming, decoded: Batch | Birth | About | State | Ack
    ) -> Receipt:
        match address.kind, decoded:
            case "batch", Batch():
                return self._batch(address, message, decoded)
            case "birth", Birth():
                return self._birth(address, message, decoded)
            case "about", About():
                return self._about(address, message)
            case "state", State():
                return self._state(address, message, decoded)
        detail = f"a {type(decoded).__name__.lower()} does not belong on {message.topic}"
        return self._refuse(message, address.node, "kind", detail)

    def _refuse(self, message: Incoming, node: bytes, reason: str, detail: str) -> Receipt:
        digest = hashlib.sha256(message.payload).digest()
        kept = self._db.execute(
            "INSERT OR IGNORE INTO refused (reason, detail, topic, digest, bytes, arrival)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (reason, detail, message.topic, digest, message.payload[:MAX_BYTES], message.arrival),
        )
        if kept.rowcount:
            self._sink.alarm(message.arrival, node, reason, detail)
            self._db.execute(
                "DELETE FROM refused WHERE (reason = 'version') = ?1 AND id <= (SELECT id FROM"
                " refused WHERE (reason = 'version') = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                (reason == "version", MAX_VERSION if reason == "version" else MAX_REFUSED),
            )
        self._sink.count(node, "refused")
        return Receipt(Outcome.REFUSED, node)

    def _batch(self, address: Address, message: Incoming, batch: Batch) -> Receipt:
        if int(address.detail) != batch.stream:
            detail = f"a batch of stream {batch.stream} came on {message.topic}"
            return self._refuse(message, batch.node, "stream", detail)
        key = (batch.node, batch.spool, batch.stream, batch.seq)
        held = self._db.execute(
            "SELECT bytes FROM raw WHERE node = ? AND spool = ? AND stream = ? AND seq = ?", key
        ).fetchone()
        known = self._sink.birth(batch.node, batch.schema) is not None
        wanted = None if known else batch.schema
        if held is None:
            self._store(message, batch, Work.READY if known else Work.WAITING)
            return Receipt(Outcome.STORED, batch.node, batch.spool, wanted)
        if held[0] == message.payload:
            self._sink.count(batch.node, "duplicate")
            return Receipt(Outcome.DUPLICATE, batch.node, batch.spool, wanted)
        self._conflict(message, batch)
        return Receipt(Outcome.CONFLICT, batch.node, batch.spool, wanted)

    def _conflict(self, message: Incoming, batch: Batch) -> None:
        """Keep a second copy with other bytes aside: two nodes may share one card's contents."""
        self._db.execute(
            "INSERT OR IGNORE INTO conflict"
            " (node, spool, stream, seq, digest, bytes, arrival, topic)"
            " SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM conflict) < ?",
            (batch.node, batch.spool, batch.stream, batch.seq,
             hashlib.sha256(message.payload).digest(), message.payload, message.arrival,
             message.topic, MAX_CONFLICTS),
        )  # fmt: skip
        self._sink.alarm(
            message.arrival, batch.node, "conflict",
            f"batch {batch.stream}/{batch.seq} of spool {batch.spool.hex()} came twice with "
            "different bytes: a cloned card? Give each node a spool of its own",
        )  # fmt: skip

    def _store(self, message: Incoming, batch: Batch, work: Work) -> None:
        spool = (batch.node, batch.spool)
        stream = (*spool, batch.stream)
        self._db.execute(
            "INSERT INTO raw (node, spool, stream, seq, epoch, r0, schema, held, bytes, crc,"
            " arrival, topic, work) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*stream, batch.seq, batch.epoch, batch.r0, batch.schema, batch.held, message.payload,
             zlib.crc32(message.payload), message.arrival, message.topic, work),
        )  # fmt: skip
        self._db.execute(
            "INSERT OR IGNORE INTO spool (node, spool, arrival) VALUES (?, ?, ?)",
            (*spool, message.arrival),
        )
        extend(self._db, *stream, batch.seq)
        if batch.held is not None:
            # A node holds what it sends: a key 13 above its own seq cannot be.
            self._db.execute(
                "INSERT INTO held VALUES (?, ?, ?, ?) ON CONFLICT"
                " DO UPDATE SET seq = max(seq, excluded.seq)",
                (*stream, min(batch.held, batch.seq)),
            )
        self._times(spool, batch)
        self._db.executemany(
            "INSERT INTO loss VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " readings = max(readings, excluded.readings),"
            " batches = max(batches, excluded.batches)",
            [(*stream, x.r0, x.reason, x.seq, x.n, x.nseq) for x in batch.losses
             if x.stream == batch.stream],
        )  # fmt: skip

    def _times(self, spool: tuple[bytes, bytes], batch: Batch) -> None:
        """Collect anchors per boot of a spool: a new spool may count its epochs from the start."""
        boot = (*spool, batch.epoch)
        self._db.execute("INSERT OR IGNORE INTO epoch (node, spool, epoch) VALUES (?, ?, ?)", boot)
        self._db.executemany(
            "INSERT OR IGNORE INTO anchor (node, spool, epoch, mono, utc, source, err)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(*boot, *anchor) for anchor in batch.anchors],
        )
        if batch.previous is not None:
            self._db.execute(
                "INSERT OR IGNORE INTO previous (node, spool, epoch, mono, utc, err)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (*spool, *batch.previous),
            )

    def _birth(self, address: Address, message: Incoming, birth: Birth) -> Receipt:
        schema = birth.schema
        if address.detail != schema.hex():
            detail = f"the birth of schema {schema.hex()} came on {message.topic}"
            return self._refuse(message, birth.node, "forged", detail)
        fresh = self._db.execute(
            "INSERT OR IGNORE INTO birth VALUES (?, ?, ?, ?)",
            (birth.node, schema, message.payload, message.arrival),
        )
        if fresh.rowcount:
            self._db.executemany(
                "INSERT INTO channel (node, schema, gid, place, name, unit, scale, kind, observed)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(birth.node, schema, gid, place, c.name, c.unit, c.scale, c.kind, c.observed)
                 for gid, channels in birth.groups.items() for place, c in enumerate(channels)],
            )  # fmt: skip
            self._db.execute(
                "UPDATE raw SET work = ? WHERE node = ? AND schema = ? AND work = 0",
                (Work.READY, birth.node, schema),
            )
        return Receipt(Outcome.NOTED, birth.node)

    def _about(self, address: Address, message: Incoming) -> Receipt:
        self._db.execute(
            "INSERT OR REPLACE INTO about VALUES (?, ?, ?)",
            (address.node, message.payload, message.arrival),
        )
        return Receipt(Outcome.NOTED, address.node)

    def _state(self, address: Address, message: Incoming, state: State) -> Receipt:
        """Take the highest (epoch, connect); of one connection, offline comes after online."""
        self._db.execute(
            "INSERT OR IGNORE INTO spool (node, spool, arrival) VALUES (?, ?, ?)",
            (address.node, state.spool, message.arrival),
        )
        self._db.execute(
            "INSERT INTO state VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " online = excluded.online, epoch = excluded.epoch,"
            " connect_ms = excluded.connect_ms, arrival = excluded.arrival"
            " WHERE (excluded.epoch, excluded.connect_ms, online) > (epoch, connect_ms,"
            " excluded.online)",
            (state.node, state.spool, state.online, state.epoch, state.connect_ms, message.arrival),
        )
        return Receipt(Outcome.NOTED, state.node)
