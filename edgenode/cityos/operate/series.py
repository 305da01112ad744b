"""The channels of a place over time: least and most of each bucket, and how good they were."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from edgenode.cityos.export.places import Places
from edgenode.cityos.operate.continuity import FOREVER, Continuity, Part, renamed, sensor_of
from edgenode.cityos.operate.recent import first_since
from edgenode.cityos.operate.window import HOUR, Window
from edgenode.cityos.sink import Sink
from edgenode.reading import NUMBERLESS, Privacy, Quality

CLOCKS_MS = HOUR  # by which clocks of receivers and nodes may differ


@dataclass(slots=True)
class Bucket:
    """The readings of one stretch of time; `low` and `high` are None where there is no number."""

    low: float | None = None
    high: float | None = None
    ok: int = 0
    doubtful: int = 0  # a number that is not ok
    none: int = 0  # no number

    @property
    def count(self) -> int:
        """How many readings there are."""
        return self.ok + self.doubtful + self.none


@dataclass(slots=True)
class Series:
    """One channel of the place, by the name that it had first; `shown` is false for aggregates."""

    name: str
    unit: str
    shown: bool = True
    buckets: dict[int, Bucket] = field(default_factory=dict)
    qualities: Counter[int] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """How many readings there are."""
        return self.qualities.total()


class _Row(NamedTuple):
    channel: str
    unit: str
    bucket: int
    quality: int
    low: float | None
    high: float | None
    n: int


def series(sink: Sink, continuity: Continuity, node: bytes, window: Window) -> list[Series]:
    """Return the channels of the place of a node, by name; one pass over the readings in it."""
    places = Places(sink)
    wanted = _origins(sink, continuity, node)
    found: dict[tuple[str, str], Series] = {}
    for source in continuity.neighbours(node):
        for row in _rows(sink, source, window):
            name = _placed(continuity, wanted, source, row.channel, window.middle(row.bucket))
            if name is not None:
                key = name, row.unit
                if key not in found:
                    found[key] = Series(*key, shown=_open(places, source, row.channel))
                _add(found[key], row)
    return sorted(found.values(), key=lambda one: (_natural(one.name), one.unit))


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that puts pm10 behind pm2."""
    return [(int(x) if x.isdigit() else -1, x) for x in re.split(r"([0-9]+)", name)]


def untimed(sink: Sink, nodes: Sequence[bytes], window: Window) -> int:
    """Count the readings that arrived in the window and whose time nothing vouches for."""
    first = first_since(sink, window.start)
    rows = sink.each(
        "SELECT count(*) FROM reading WHERE node = ? AND batch >= ? AND utc IS NULL",
        [(node, first) for node in nodes],
    )
    return sum(count for ((count,),) in rows)


def _rows(sink: Sink, node: bytes, window: Window) -> Iterator[_Row]:
    """Yield what the database makes of the readings: nothing arrives before it is measured."""
    rows: Iterator[Any] = sink.stream(
        "SELECT channel, unit, (utc + ?) / ?, quality, min(value), max(value), count(*)"
        " FROM reading WHERE node = ? AND batch >= ? AND utc >= ? AND utc < ?"
        " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
        (window.offset, window.step, node, first_since(sink, window.start - CLOCKS_MS),
         window.start, window.end),
    )  # fmt: skip
    yield from map(_Row._make, rows)


def _origins(sink: Sink, continuity: Continuity, node: bytes) -> set[Part]:
    """Return as which sensors those of a node are known where it stands last."""
    rows = sink.db.execute("SELECT DISTINCT name FROM channel WHERE node = ?", (node,))
    sensors = {sensor_of(name) for (name,) in rows}
    return {continuity.origin(node, sensor, FOREVER) for sensor in sensors}


def _placed(
    continuity: Continuity, wanted: set[Part], node: bytes, channel: str, utc: int
) -> str | None:
    """Return the name of a channel at its place; None where it is, or was, of another place."""
    sensor = sensor_of(channel)
    ended = continuity.replaced(node, sensor)
    if ended is not None and ended.since <= utc:
        return None
    origin = continuity.origin(node, sensor, utc)
    return renamed(channel, origin.sensor) if origin in wanted else None


def _open(places: Places, node: bytes, channel: str) -> bool:
    known = places.channel(node, channel)
    return known is None or known.privacy != Privacy.AGGREGATE


def _add(one: Series, row: _Row) -> None:
    at = one.buckets.setdefault(row.bucket, Bucket())
    one.qualities[row.quality] += row.n
    if row.quality == Quality.OK:
        at.ok += row.n
    elif row.low is None or row.quality in NUMBERLESS:
        at.none += row.n
    else:
        at.doubtful += row.n
    if row.low is not None and row.high is not None:
        at.low = row.low if at.low is None else min(at.low, row.low)
        at.high = row.high if at.high is None else max(at.high, row.high)
