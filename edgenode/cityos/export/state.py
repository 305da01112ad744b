"""What an exporter must remember: how new each attribute is that it sent, and what was refused.

It stands in the sink, beside the exporter's cursor, so that an exporter can be moved and killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from edgenode.cityos.sink import Sink

MAX_ASIDE = 10_000  # refused bodies kept, the newest; the alarm names what was in them
MAX_BODY = 65_536  # characters of one of them


class Newest(NamedTuple):
    """When the newest value that was sent was observed; its members where it is of phases."""

    utc_ms: int
    members: dict[str, float]


class Refused(NamedTuple):
    """Something the other side does not take, and why; kept for a person to look at."""

    at_ms: int
    what: str
    reason: str
    body: str


class State:
    """The memory of one exporter."""

    def __init__(self, sink: Sink, exporter: str) -> None:
        self._sink = sink
        self._exporter = exporter

    def newest(self, entities: Iterable[str]) -> dict[tuple[str, str], Newest]:
        """Return how new the attributes of some entities are, by (entity, attribute)."""
        names = list(dict.fromkeys(entities))
        found = self._sink.each(
            "SELECT attribute, utc, members FROM export_newest WHERE exporter = ? AND entity = ?",
            [(self._exporter, name) for name in names],
        )
        return {
            (name, attribute): Newest(utc, json.loads(members))
            for name, rows in zip(names, found, strict=True)
            for attribute, utc, members in rows
        }

    def sent(self, items: Iterable[tuple[str, str, Newest]]) -> None:
        """Remember what the other side has taken: (entity, attribute, how new)."""
        rows = [
            (self._exporter, entity, attribute, newest.utc_ms, json.dumps(newest.members))
            for entity, attribute, newest in items
        ]
        with self._sink.transaction():
            self._sink.db.executemany(
                "INSERT INTO export_newest VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (exporter, entity, attribute)"
                " DO UPDATE SET utc = excluded.utc, members = excluded.members",
                rows,
            )

    def aside(self, node: bytes, refused: Refused) -> None:
        """Keep what was refused, and raise an alarm."""
        with self._sink.transaction():
            self._sink.db.execute(
                "INSERT INTO export_aside VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (self._exporter, refused.at_ms, refused.what, refused.reason,
                 refused.body[:MAX_BODY]),
            )  # fmt: skip
            self._sink.db.execute(
                "DELETE FROM export_aside WHERE exporter = ? AND at < (SELECT min(at) FROM (SELECT"
                " at FROM export_aside WHERE exporter = ? ORDER BY at DESC LIMIT ?) AS kept)",
                (self._exporter, self._exporter, MAX_ASIDE),
            )
            detail = f"{self._exporter}: {refused.what}: {refused.reason}"
            self._sink.alarm(refused.at_ms, node, "export-refused", detail)

    def refused(self) -> list[Refused]:
        """Return what is kept aside, the oldest first."""
        rows = self._sink.db.execute(
            "SELECT at, what, reason, body FROM export_aside WHERE exporter = ? ORDER BY at, what",
            (self._exporter,),
        )
        return [Refused(*row) for row in rows]
