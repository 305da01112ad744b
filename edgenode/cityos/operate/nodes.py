"""How each node of the fleet is, from the sink alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from edgenode.cityos import durable
from edgenode.cityos.export.places import Places
from edgenode.cityos.operate.commissioned import Commissioned, commissioned
from edgenode.cityos.operate.conditions import Condition, standing
from edgenode.cityos.operate.continuity import Continuity, Succession, sensor_of
from edgenode.cityos.operate.recent import first_since
from edgenode.cityos.ranges import holes, minus, size
from edgenode.cityos.sink import Sink
from edgenode.reading import Stream
from edgenode.units import UnknownUnit, ratio, times

DAY_MS = 86_400_000


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
    """Return how every node is at POSIX ms `now`, or `only` some, in the order of their ids."""
    nodes = _heard(sink) if only is None else only
    continuity, places = Continuity.of(sink), Places(sink)
    in_use = durable.spools_in_use(sink.db)
    sent, conditions = _bytes_since(sink, now - DAY_MS), standing(sink, in_use)
    newest = _newest(sink, {node: in_use[node] for node in nodes if node in in_use})
    found = []
    for node in nodes:
        presence, counters = sink.presence(node), sink.counters(node)
        batches = newest.get(node, {})
        found.append(
            Standing(
                node=node,
                name=places.place(node).name,
                presence=presence.state,
                last_seen=presence.last_seen,
                silent_ms=max(0, now - presence.last_seen),
                conditions=_of_today(sink, batches, conditions.get(node, [])),
                clock=_clock(sink, batches),
                wear=_wear(sink, batches.get(Stream.HEALTH)),
                backlog=_backlog(sink, node, in_use.get(node)),
                bytes_day=sent.get(node, 0),
                conflicts=counters.get("conflict", 0),
                faulty=counters.get("faulty", 0),
                successions=tuple(continuity.about(node)),
                commissioned=commissioned(sink, node),
            )
        )
    return found


def _heard(sink: Sink) -> list[bytes]:
    rows = sink.db.execute("SELECT node FROM node UNION SELECT node FROM spool ORDER BY 1")
    return [bytes(row[0]) for row in rows]


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
    sink: Sink, batches: dict[int, int], conditions: list[Condition]
) -> tuple[Condition, ...]:
    """Leave out what was told of sensors that the node has no more."""
    if not batches or not conditions:
        return tuple(conditions)
    rows = sink.db.execute(
        "SELECT channel.name FROM raw JOIN channel ON channel.node = raw.node"
        " AND channel.schema = raw.schema WHERE raw.id = ?",
        (max(batches.values()),),
    )
    sensors = {sensor_of(name) for (name,) in rows}
    return tuple(x for x in conditions if x.channel is None or sensor_of(x.channel) in sensors)


def _clock(sink: Sink, batches: dict[int, int]) -> Clock | None:
    for stream in (Stream.TELEMETRY, Stream.HEALTH):
        if stream in batches:
            row = sink.db.execute(
                "SELECT clock, err FROM reading WHERE batch = ? ORDER BY mono DESC LIMIT 1",
                (batches[stream],),
            ).fetchone()
            if row is not None:
                return Clock(*row)
    return None


def _wear(sink: Sink, batch: int | None) -> Wear:
    """Read the newest health batch; channels are known by their quantity and their unit."""
    if batch is None:
        return Wear()
    rows = sink.db.execute(
        "SELECT channel, unit, value FROM reading WHERE batch = ? AND value IS NOT NULL"
        " ORDER BY mono",
        (batch,),
    )
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


def _backlog(sink: Sink, node: bytes, spool: bytes | None) -> int:
    """Count the batches of the spool in use that the node holds and whose later ones are here."""
    if spool is None:
        return 0
    held, lost = durable.held(sink.db, node, spool), durable.lost(sink.db, node, spool)
    return sum(
        size(minus(holes(one.ranges, one.floor), lost.get(stream, ())))
        for stream, one in held.items()
    )
