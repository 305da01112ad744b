"""How each node of the fleet is, from the sink alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from edgenode.cityos import durable
from edgenode.cityos.export import places
from edgenode.cityos.operate import commissioned
from edgenode.cityos.operate.commissioned import Commissioned
from edgenode.cityos.operate.conditions import Condition, standing
from edgenode.cityos.operate.continuity import Continuity, Succession, sensor_of
from edgenode.cityos.operate.recent import first_since
from edgenode.cityos.ranges import Range, holes, minus, size
from edgenode.cityos.sink import Sink
from edgenode.reading import Stream
from edgenode.units import UnknownUnit, ratio, times

DAY_MS = 86_400_000
TOGETHER = 500  # batches whose rows one statement reads


class Clock(NamedTuple):
    """Who vouches for the newest reading, and its error, ms; None where only an interval is."""

    source: int  # edgenode.reading.ClockSource
    err: int | None


class Wear(NamedTuple):
    """The newest of what a node says of itself; None where it does not say it."""

    card_life_used: float | None = None  # %
    disk_free: float | None = None  # bytes
    certificate_left: float | None = None  # s until the certificate that ends first ends


@dataclass(frozen=True, slots=True)
class Standing:
    """How one node is. Times are POSIX ms."""

    node: bytes
    name: str  # of its place, as its about says; empty where it does not
    presence: str
    last_seen: int
    silent_ms: int  # since it was heard last
    conditions: tuple[Condition, ...]
    clock: Clock | None  # None: no reading yet
    wear: Wear
    backlog: int  # batches between those held that are still at the node
    bytes_day: int  # of batches, in the last 24 h
    conflicts: int  # messages with other bytes under one identity, ever
    faulty: int  # batches that contradict their birth, ever
    successions: tuple[Succession, ...]  # that name it
    commissioned: Commissioned | None = None  # None: it told no record


def fleet(sink: Sink, now: int, only: list[bytes] | None = None) -> list[Standing]:
    """Return how every node is at POSIX ms `now`, or `only` some, in the order of their ids.

    Each question is asked of all nodes at once: a round trip for each node would take seconds.
    """
    nodes = _heard(sink) if only is None else only
    in_use = _in_use(sink, nodes)
    newest = _newest(sink, in_use)
    presences = dict(zip(nodes, sink.presences(nodes), strict=True))
    abouts = dict(zip(nodes, sink.abouts(nodes), strict=True))
    counters = _counters(sink, nodes)
    conditions = _of_today(sink, newest, standing(sink, in_use))
    clocks, wear, backlogs = _clocks(sink, newest), _wear(sink, newest), _backlogs(sink, in_use)
    sent, continuity = _bytes_since(sink, now - DAY_MS), Continuity.of(sink)
    return [
        Standing(
            node=node,
            name=places.told(abouts[node]).name,
            presence=presences[node].state,
            last_seen=presences[node].last_seen,
            silent_ms=max(0, now - presences[node].last_seen),
            conditions=tuple(conditions.get(node, ())),
            clock=clocks.get(node),
            wear=wear.get(node, Wear()),
            backlog=backlogs.get(node, 0),
            bytes_day=sent.get(node, 0),
            conflicts=counters[node].get("conflict", 0),
            faulty=counters[node].get("faulty", 0),
            successions=tuple(continuity.about(node)),
            commissioned=commissioned.told(abouts[node], node),
        )
        for node in nodes
    ]


def _heard(sink: Sink) -> list[bytes]:
    rows = sink.db.execute("SELECT node FROM node UNION SELECT node FROM spool ORDER BY 1")
    return [bytes(row[0]) for row in rows]


def _in_use(sink: Sink, nodes: list[bytes]) -> dict[bytes, bytes]:
    """Return the spool in use of each of these nodes that has one."""
    every = durable.spools_in_use(sink.db)
    return {node: every[node] for node in nodes if node in every}


def _each(sink: Sink, sql: str, keys: Mapping[bytes, Sequence[Any]]) -> dict[bytes, list[Any]]:
    """Return of each node the rows that a statement gives for its parameters."""
    return dict(zip(keys, sink.each(sql, list(keys.values())), strict=True))


def _counters(sink: Sink, nodes: list[bytes]) -> dict[bytes, dict[str, int]]:
    found = _each(
        sink, "SELECT name, n FROM counter WHERE node = ?", {node: (node,) for node in nodes}
    )
    return {node: dict(rows) for node, rows in found.items()}


def _bytes_since(sink: Sink, since: int) -> dict[bytes, int]:
    rows = sink.db.execute(
        "SELECT node, sum(length(bytes)) FROM raw WHERE id >= ? AND arrival >= ? GROUP BY node",
        (first_since(sink, since), since),
    )
    return {bytes(node): int(total) for node, total in rows}


def _newest(sink: Sink, in_use: dict[bytes, bytes]) -> dict[bytes, dict[int, int]]:
    """Return of each node and stream the newest batch whose rows are there, of the spool in use."""
    keys = [
        (node, spool, int(stream))
        for node, spool in in_use.items()
        for stream in (Stream.TELEMETRY, Stream.EVENTS, Stream.HEALTH)
    ]
    found = sink.each(
        "SELECT id FROM raw WHERE node = ? AND spool = ? AND stream = ?"
        " AND readings IS NOT NULL ORDER BY seq DESC LIMIT 1",
        keys,
    )
    newest: dict[bytes, dict[int, int]] = {}
    for (node, _, stream), rows in zip(keys, found, strict=True):
        for (batch,) in rows:
            newest.setdefault(node, {})[stream] = batch
    return newest


def _of_today(
    sink: Sink, newest: dict[bytes, dict[int, int]], conditions: dict[bytes, list[Condition]]
) -> dict[bytes, list[Condition]]:
    """Leave out what was told of sensors that a node has no more."""
    found = _each(
        sink,
        "SELECT channel.name FROM raw JOIN channel ON channel.node = raw.node"
        " AND channel.schema = raw.schema WHERE raw.id = ?",
        {node: (max(newest[node].values()),) for node in conditions if node in newest},
    )
    left = dict(conditions)
    for node, rows in found.items():
        sensors = {sensor_of(name) for (name,) in rows}
        left[node] = [
            x for x in conditions[node] if x.channel is None or sensor_of(x.channel) in sensors
        ]
    return left


def _clocks(sink: Sink, newest: dict[bytes, dict[int, int]]) -> dict[bytes, Clock]:
    clocks: dict[bytes, Clock] = {}
    for stream in (Stream.TELEMETRY, Stream.HEALTH):
        left = {node: batches for node, batches in newest.items() if node not in clocks}
        found = _rows(
            sink,
            "SELECT batch, clock, err FROM (SELECT batch, clock, err,"
            " row_number() OVER (PARTITION BY batch ORDER BY mono DESC) AS nth"
            " FROM reading WHERE batch IN ({})) AS told WHERE nth = 1",
            _of(left, stream),
        )
        clocks |= {node: Clock(*rows[0]) for node, rows in found.items()}
    return clocks


def _wear(sink: Sink, newest: dict[bytes, dict[int, int]]) -> dict[bytes, Wear]:
    """Read the newest health batches."""
    found = _rows(
        sink,
        "SELECT batch, channel, unit, value FROM reading WHERE batch IN ({})"
        " AND value IS NOT NULL ORDER BY batch, mono",
        _of(newest, Stream.HEALTH),
    )
    return {node: _worn(rows) for node, rows in found.items()}


def _of(newest: dict[bytes, dict[int, int]], stream: int) -> dict[int, bytes]:
    """Return the newest batches of one stream, and the node of each."""
    return {batches[stream]: node for node, batches in newest.items() if stream in batches}


def _rows(sink: Sink, sql: str, nodes: dict[int, bytes]) -> dict[bytes, list[Any]]:
    """Return of each node the rows of its batch, many batches in one statement."""
    found: dict[bytes, list[Any]] = {}
    batches = list(nodes)
    for first in range(0, len(batches), TOGETHER):
        some = batches[first : first + TOGETHER]
        for batch, *row in sink.db.execute(sql.format(", ".join("?" * len(some))), some):
            found.setdefault(nodes[batch], []).append(row)
    return found


def _worn(rows: list[Any]) -> Wear:
    """Read one health batch; channels are known by their quantity and their unit."""
    found: dict[str, float | None] = {}
    for channel, unit, value in rows:
        quantity = channel.partition("/")[2]
        if quantity in _UNITS:
            found[quantity] = _in(value, unit, _UNITS[quantity])
    return Wear(**found)


_UNITS = {"card_life_used": "%", "disk_free": "B", "certificate_left": "s"}


def _in(value: float, unit: str, wanted: str) -> float | None:
    try:
        return value if unit == wanted else times(value, ratio(unit, wanted))
    except UnknownUnit:
        return None


def _backlogs(sink: Sink, in_use: dict[bytes, bytes]) -> dict[bytes, int]:
    """Count the batches of the spools in use that nodes hold and whose later ones are here."""
    spools = list(in_use.items())
    held, lost = durable.held_of(sink.each, spools), durable.lost_of(sink.each, spools)
    return {
        node: _backlog(*one) for node, one in zip(in_use, zip(held, lost, strict=True), strict=True)
    }


def _backlog(held: dict[int, durable.Held], lost: dict[int, list[Range]]) -> int:
    return sum(
        size(minus(holes(one.ranges, one.floor), lost.get(stream, ())))
        for stream, one in held.items()
    )
