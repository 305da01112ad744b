"""What a sink says of one node while a receiver fills it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from edgenode.cityos.audit import Audit, audit
from edgenode.cityos.sink import ReadingRow, Sink
from tests.support.running import Truth


class Looks:
    """Opens the sink anew for each question, as another process would."""

    def __init__(self, db: Path, node: bytes) -> None:
        self._db = db
        self._node = node

    def audit(self) -> Audit:
        with Sink.open(self._db, readonly=True) as sink:
            return audit(sink, self._node)

    def batches(self) -> int:
        return sum(stream.batches for stream in self.audit().streams)

    def presence(self) -> str:
        with Sink.open(self._db, readonly=True) as sink:
            return sink.presence(self._node).state

    def about(self) -> bytes | None:
        with Sink.open(self._db, readonly=True) as sink:
            return sink.about(self._node)

    def birth(self, schema: bytes) -> bytes | None:
        with Sink.open(self._db, readonly=True) as sink:
            return sink.birth(self._node, schema)

    def rows(self) -> list[ReadingRow]:
        with Sink.open(self._db, readonly=True) as sink:
            return list(sink.readings(self._node))

    def truth(self) -> Counter[Truth]:
        """Return the rows as the sender would write them, each with how often it is there."""
        return Counter(
            Truth(row.channel, row.value, row.mono) for row in self.rows() if row.value is not None
        )

    def has(self, truth: list[Truth]) -> bool:
        return not Counter(truth) - self.truth()

    def overtaken(self, backlog: int) -> int:
        """Return how many of the first `backlog` batches were stored after the one that follows."""
        with Sink.open(self._db, readonly=True) as sink:
            seqs = [row[0] for row in sink.db.execute("SELECT seq FROM raw ORDER BY id")]
        fresh = next((place for place, seq in enumerate(seqs) if seq > backlog), len(seqs))
        return sum(seq <= backlog for seq in seqs[fresh:])
