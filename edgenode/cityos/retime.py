"""Times of rows that are there already, computed again when a new anchor says more."""

from __future__ import annotations

from edgenode.cityos import outbox
from edgenode.cityos.schema import Work
from edgenode.cityos.sink import Sink
from edgenode.cityos.store import Boot
from edgenode.cityos.timing import USABLE, Span, Timeline, influence, usable
from edgenode.reading import Anchor

MAX_CACHED = 1_024  # timelines kept in memory
USABLE_SQL = f"AND source IN ({', '.join(str(int(source)) for source in sorted(USABLE))})"


class Retiming:
    """Keeps the timelines of all boots and finds the rows that new anchors change."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._db = sink.db
        self._timelines: dict[Boot, Timeline] = {}

    def due(self) -> bool:
        """Tell whether anchors or ends of epochs have arrived that no row knows of."""
        return any(
            self._db.execute(f"SELECT 1 FROM {table} WHERE applied = 0 LIMIT 1").fetchone()  # noqa: S608 - our own names
            for table in ("anchor", "previous")
        )

    def timeline(self, node: bytes, spool: bytes, epoch: int) -> Timeline:
        """Return the timeline of a boot as far as it is known."""
        boot = (node, spool, epoch)
        found = self._timelines.get(boot)
        if found is None:
            anchors = usable(self._sink.anchors(*boot))
            span = Span() if anchors else self._span(*boot)
            if not anchors:
                self._note(boot, span)
            if len(self._timelines) >= MAX_CACHED:
                self._timelines.clear()
            found = self._timelines[boot] = Timeline(anchors, span)
        return found

    def spread(self) -> None:
        """Mark the rows that new anchors change as stale; set the spans of unanchored epochs."""
        fresh: dict[Boot, list[Anchor]] = {}
        for node, spool, epoch, *anchor in self._db.execute(
            "SELECT node, spool, epoch, mono, utc, source, err FROM anchor WHERE applied = 0"
        ).fetchall():
            fresh.setdefault((node, spool, epoch), []).append(Anchor(*anchor))
        ends = self._db.execute(
            "SELECT DISTINCT node, spool, epoch FROM previous WHERE applied = 0"
        ).fetchall()
        for boot, anchors in fresh.items():
            self._spread_anchors(boot, anchors)
        for node, spool, epoch in {*fresh, *ends}:
            self._spread_spans(node, spool, epoch)
        self._db.execute("UPDATE anchor SET applied = 1 WHERE applied = 0")
        self._db.execute("UPDATE previous SET applied = 1 WHERE applied = 0")

    def step(self, limit: int) -> int:
        """Time up to `limit` stale batches again; return how many."""
        rows = self._db.execute(
            "SELECT id, node, spool, epoch FROM raw WHERE work = 2 ORDER BY id LIMIT ?", (limit,)
        ).fetchall()
        timed = []
        for batch, *boot in rows:
            timeline = self.timeline(*boot)
            times = {mono: timeline.at(mono) for mono in self._sink.rows.monos(batch)}
            self._sink.rows.retime(batch, times)
            if any(time.utc is not None for time in times.values()):
                timed.append(batch)
        self._db.executemany(
            "UPDATE raw SET work = ? WHERE id = ?", [(Work.DONE, row[0]) for row in rows]
        )
        outbox.tell(self._db, timed)
        return len(rows)

    def _spread_anchors(self, boot: Boot, fresh: list[Anchor]) -> None:
        self._timelines.pop(boot, None)
        known = usable(self._sink.anchors(*boot))
        for anchor in usable(fresh):
            low, high = influence(known, anchor)
            self._db.execute(
                "UPDATE raw SET work = ? WHERE node = ? AND spool = ? AND epoch = ?"
                " AND work = ? AND last >= coalesce(?, last) AND first <= coalesce(?, first)",
                (Work.STALE, *boot, Work.DONE, low, high),
            )

    def _spread_spans(self, node: bytes, spool: bytes, epoch: int) -> None:
        """Give the unanchored epochs around `epoch` their bounds, as far as those have changed."""
        before = self._anchored(node, spool, epoch, "max(epoch)", "<")
        after = self._anchored(node, spool, epoch, "min(epoch)", ">")
        for other, earliest, latest in self._db.execute(
            "SELECT epoch, earliest, latest FROM epoch WHERE node = ? AND spool = ?"
            " AND epoch > coalesce(?, -1) AND epoch < coalesce(?, epoch + 1)",
            (node, spool, before, after),
        ).fetchall():
            boot = (node, spool, other)
            if usable(self._sink.anchors(*boot)):
                continue
            span = self._span(*boot)
            if span == (earliest, latest):
                continue
            self._timelines.pop(boot, None)
            self._note(boot, span)
            self._sink.rows.bound(boot, span)

    def _note(self, boot: Boot, span: Span) -> None:
        self._db.execute(
            "UPDATE epoch SET earliest = ?, latest = ? WHERE node = ? AND spool = ? AND epoch = ?",
            (*span, *boot),
        )

    def _anchored(
        self, node: bytes, spool: bytes, epoch: int, nearest: str, side: str
    ) -> int | None:
        """Return the nearest epoch on one side that has an anchor of known source."""
        row = self._db.execute(
            f"SELECT {nearest} FROM anchor WHERE node = ? AND spool = ? AND epoch {side} ?"  # noqa: S608 - our own text
            f" {USABLE_SQL}",
            (node, spool, epoch),
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def _span(self, node: bytes, spool: bytes, epoch: int) -> Span:
        """Bound an epoch without anchors by the end of the one before and the start of the next.

        The end of an epoch is told by key 15 of a later one, or by its own last anchor.
        """
        ends = [
            self._db.execute(
                f"SELECT epoch, mono, utc - err FROM {table} WHERE node = ? AND spool = ?"  # noqa: S608 - our own text
                f" AND epoch < ? {condition}"
                " ORDER BY epoch DESC, mono DESC, utc - err DESC LIMIT 1",
                (node, spool, epoch),
            ).fetchone()
            for table, condition in (("previous", ""), ("anchor", USABLE_SQL))
        ]
        end = max((row for row in ends if row is not None), default=None)
        start = self._db.execute(
            "SELECT utc + err FROM anchor WHERE node = ? AND spool = ? AND epoch > ?"  # noqa: S608 - our own text
            f" {USABLE_SQL} ORDER BY epoch, mono, utc + err LIMIT 1",
            (node, spool, epoch),
        ).fetchone()
        if end and start and end[2] > start[0]:
            return Span()  # clocks that lied: nothing can be said
        return Span(end and end[2], start and start[0])
