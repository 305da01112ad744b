"""The receiving side without MQTT: messages in, acks out, rows derived in between.

The order is what makes it safe: raw bytes are committed first, only then are messages released to
the broker and acks computed; rows are derived afterwards and can be derived again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from edgenode.cityos.acks import Acks
from edgenode.cityos.derive import Deriver
from edgenode.cityos.intake import Incoming, Intake, Outcome, Receipt
from edgenode.cityos.sink import Sink
from edgenode.wire import Ack

SILENCE_MS = 300_000  # a node that seals each minute and says nothing for five is silent


def utc_ms() -> int:
    """Return the wall clock: POSIX ms."""
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    """Return a clock that never steps, in ms."""
    return time.monotonic_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class CityOptions:
    """How the city's side behaves; times in ms.

    Receivers with the same `share` get each batch once among them, on brokers that can do that.
    """

    prefix: str = "edgenode/v1"
    silence_ms: int = SILENCE_MS
    share: str = ""


class City:
    """One sink and all that is decided from it. Not thread-safe: one thread owns it."""

    def __init__(self, sink: Sink, options: CityOptions) -> None:
        self.sink = sink
        self._options = options
        self._intake = Intake(sink, options.prefix)
        self._deriver = Deriver(sink)
        self._acks = Acks(sink)

    def resume(self, now: int, utc: int) -> None:
        """Begin again after a stop or a crash."""
        self._acks.resume(now, utc)

    def absorb(self, messages: Sequence[Incoming], now: int) -> list[Receipt]:
        """Make messages durable in one transaction; on return they may be released.

        Raises CityError when the sink cannot be written: then none of them is durable.
        """
        with self.sink.transaction():
            receipts = self._intake.accept(messages)
        for receipt in receipts:
            if receipt.outcome in {Outcome.STORED, Outcome.DUPLICATE, Outcome.CONFLICT}:
                self._acks.touch(receipt.node, receipt.spool, now)
        return receipts

    def derive(self) -> bool:
        """Do one small step of derivation; False when there is nothing left to do."""
        return self._deriver.step() > 0

    def acks(self, now: int, utc: int) -> list[Ack]:
        """Return the acks to publish now, on every broker."""
        return self._acks.take(now, utc)

    def next_due(self) -> int | None:
        """Return the monotonic ms of the next ack, None when none is waiting."""
        return self._acks.next_due()

    def fall_silent(self, utc: int) -> list[bytes]:
        """Mark and return the nodes that said nothing for too long: a will may be missing."""
        before = utc - self._options.silence_ms
        late = "FROM node WHERE silent = 0 AND last_seen < ?"
        if self.sink.db.execute(f"SELECT 1 {late} LIMIT 1", (before,)).fetchone() is None:
            return []
        unexpected = []
        with self.sink.transaction():
            # Marked by one statement: of several receivers one is told.
            mark = "UPDATE node SET silent = 1 WHERE silent = 0 AND last_seen < ? RETURNING node"
            for (node,) in sorted(self.sink.db.execute(mark, (before,)).fetchall()):
                if self.sink.presence(node).state != "offline":
                    self.sink.count(node, "silent")
                    self.sink.alarm(utc, node, "silent", "no live message for too long")
                    unexpected.append(node)
        return unexpected

    def tidy(self) -> None:
        """Do what is due now and then: look for batches that wait though their birth is there."""
        self._deriver.match()
