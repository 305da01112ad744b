"""What is wrong at nodes as their own events tell it: what began and did not end."""

from __future__ import annotations

import json
from typing import NamedTuple

from edgenode.cityos.sink import Sink
from edgenode.cityos.store import Latest
from edgenode.reading import BY_VALUE, ENDS, HAPPENINGS, OF_THE_DISK, EventCode

# What no event ends: it is told once, and somebody has to look.
ENDLESS = (
    EventCode.TAMPER, EventCode.SENSOR_END_OF_LIFE, EventCode.SIGNAL_CONFLICT, EventCode.SUPPLY_LOW,
)  # fmt: skip
_PAIRED = ", ".join(f"{code:d}" for begin in BY_VALUE for code in (begin, ENDS[begin]))
# Which limit or reason of the node; a value of a sensor says how it is, and parts nothing.
_WHICH = f"CASE WHEN o.channel IS NULL AND o.code IN ({_PAIRED}) THEN o.value END"


class Condition(NamedTuple):
    """Something that was told and not taken back."""

    code: int  # edgenode.reading.EventCode
    channel: str | None  # "<sensor>/*", a channel, or None for the node
    since: int | None  # POSIX ms, None where nothing vouches for it
    value: str | None  # as JSON


class _What(NamedTuple):
    """What is told of; `which` is the value, as JSON, where beginnings have an end for each."""

    node: bytes
    channel: str | None
    code: int
    which: str | None


def number(value: str | None) -> int | None:
    """Return a value where it is one whole number, alone or as the only one of an array."""
    told = None if value is None else json.loads(value)
    if isinstance(told, list) and len(told) == 1:
        (told,) = told
    return told if type(told) is int else None


def endless(code: int, value: str | None) -> bool:
    """Tell whether no event ever ends what this one told."""
    return code in ENDLESS or (code == EventCode.SPOOL_DEGRADED and number(value) in HAPPENINGS)


def standing(sink: Sink, in_use: dict[bytes, bytes]) -> dict[bytes, list[Condition]]:
    """Return the conditions of each node, of its spool in use: another one tells them anew."""
    told = {
        _What(one.node, one.channel, one.code, one.which): one
        for one in sink.rows.latest(_WHICH)
        if in_use.get(one.node) == one.spool
    }
    begun = sorted((what for what in told if _stands(told, what)), key=str)
    found = sink.each(
        "SELECT utc, value FROM event WHERE batch = ? AND ordinal = ?",
        [(told[what].batch, told[what].order[2]) for what in begun],
    )
    conditions: dict[bytes, list[Condition]] = {}
    for what, rows in zip(begun, found, strict=True):
        for utc, value in rows:
            condition = Condition(what.code, what.channel, utc, value)
            conditions.setdefault(what.node, []).append(condition)
    return conditions


def _stands(told: dict[_What, Latest], what: _What) -> bool:
    if endless(what.code, what.which):
        return True
    if what.code not in ENDS:
        return False
    ends = [told[end] for end in _ends(what) if end in told]
    return all(end.order < told[what].order for end in ends)


def _ends(what: _What) -> list[_What]:
    """Return what ends a beginning, whichever comes first."""
    own = what._replace(code=ENDS[EventCode(what.code)])
    if what.code == EventCode.SPOOL_DEGRADED and number(what.which) in OF_THE_DISK:
        return [own, own._replace(which=None)]
    return [own]
