"""What is wrong at nodes as their own events tell it: what began and did not end."""

from __future__ import annotations

from typing import NamedTuple

from edgenode.cityos.sink import Sink
from edgenode.reading import EventCode

# What begins a condition, and what ends it: of one sensor, of the node where the event names none.
ENDS = {
    EventCode.SENSOR_LOST: EventCode.SENSOR_FOUND,
    EventCode.BUS_STUCK: EventCode.BUS_RECOVERED,
    EventCode.LIMIT_EXCEEDED: EventCode.LIMIT_CLEARED,
    EventCode.SPOOL_DEGRADED: EventCode.SPOOL_RECOVERED,
    EventCode.MAINTENANCE_BEGUN: EventCode.MAINTENANCE_ENDED,
    EventCode.LEAK_SUSPECTED: EventCode.LEAK_ENDED,
    EventCode.LINK_LOST: EventCode.LINK_FOUND,
    EventCode.CLOCK_LOST: EventCode.CLOCK_FOUND,
}
# What no event ends: it is told once, and somebody has to look.
ENDLESS = (
    EventCode.TAMPER, EventCode.SENSOR_END_OF_LIFE, EventCode.SIGNAL_CONFLICT, EventCode.SUPPLY_LOW,
)  # fmt: skip
_NEWEST = (
    "SELECT node, spool, channel, code, epoch, mono, ordinal, batch FROM (SELECT raw.node,"
    " raw.spool, o.channel, o.code, raw.epoch, o.mono, o.ordinal, o.batch, row_number() OVER"
    " (PARTITION BY raw.node, raw.spool, o.channel, o.code"
    " ORDER BY raw.epoch DESC, o.mono DESC, o.ordinal DESC) AS nth"
    " FROM occurrence AS o CROSS JOIN raw WHERE raw.id = o.batch AND o.code > 2) AS told"
    " WHERE nth = 1"
)


class Condition(NamedTuple):
    """Something that was told and not taken back."""

    code: int  # edgenode.reading.EventCode
    channel: str | None  # "<sensor>/*", a channel, or None for the node
    since: int | None  # POSIX ms, None where nothing vouches for it
    value: str | None  # as JSON


class _Told(NamedTuple):
    order: tuple[int, int, int]  # epoch, mono, ordinal
    batch: int


def standing(sink: Sink) -> dict[bytes, list[Condition]]:
    """Return the conditions of each node; a new card tells them anew, so those of its spool."""
    newest = {
        (bytes(node), bytes(spool))
        for node, spool in sink.db.execute(
            "SELECT node, spool FROM spool WHERE id IN (SELECT max(id) FROM spool GROUP BY node)"
        )
    }
    told: dict[tuple[bytes, str | None, int], _Told] = {}
    for node, spool, channel, code, epoch, mono, ordinal, batch in sink.db.execute(_NEWEST):
        if (bytes(node), bytes(spool)) in newest:
            told[bytes(node), channel, code] = _Told((epoch, mono, ordinal), batch)
    stands = sorted((key for key in told if _stands(told, key)), key=str)
    found = sink.each(
        "SELECT utc, value FROM event WHERE batch = ? AND ordinal = ?",
        [(told[key].batch, told[key].order[2]) for key in stands],
    )
    conditions: dict[bytes, list[Condition]] = {}
    for (node, channel, code), rows in zip(stands, found, strict=True):
        for utc, value in rows:
            conditions.setdefault(node, []).append(Condition(code, channel, utc, value))
    return conditions


def _stands(
    told: dict[tuple[bytes, str | None, int], _Told], key: tuple[bytes, str | None, int]
) -> bool:
    node, channel, code = key
    if code in ENDLESS:
        return True
    if code not in ENDS:
        return False
    end = told.get((node, channel, ENDS[EventCode(code)]))
    return end is None or end.order < told[key].order
