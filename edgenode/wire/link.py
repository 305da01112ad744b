"""State and ack: what the two ends tell each other about the connection and about custody."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from edgenode.errors import WireError
from edgenode.wire import fields
from edgenode.wire.limits import VERSION
from edgenode.wire.model import Ack, State

ONLINE, RANGES = 40, 30
_SPOOL, _CONNECT, _RESEND, _UTC, _BIRTHS = 14, 41, 31, 32, 33


def write_state(state: State) -> dict[int, Any]:
    """Return the map of a state message."""
    connect = [state.epoch, state.connect_ms]
    return {0: VERSION, 1: state.node, _SPOOL: state.spool, ONLINE: state.online, _CONNECT: connect}


def read_state(message: Mapping[Any, Any]) -> State:
    """Return the state in a decoded map."""
    online = message[ONLINE]
    if not isinstance(online, bool):
        raise fields.refuse("state key 40", online, "true or false")
    where = "state key 41 (connect)"
    epoch, connect_ms = fields.array(fields.required(message, _CONNECT, where), where, 2)[:2]
    return State(
        *_ends(message, "state"), online, fields.uint(epoch, where), fields.uint(connect_ms, where)
    )


def write_ack(ack: Ack) -> dict[int, Any]:
    """Return the map of an ack."""
    optional = {
        _RESEND: [list(item) for item in ack.resend] or None,
        _UTC: ack.utc_ms,
        _BIRTHS: list(ack.births) or None,
    }
    ranges = {stream: [list(item) for item in ack.ranges[stream]] for stream in sorted(ack.ranges)}
    required = {0: VERSION, 1: ack.node, _SPOOL: ack.spool, RANGES: ranges}
    return required | {key: value for key, value in optional.items() if value is not None}


def read_ack(message: Mapping[Any, Any]) -> Ack:
    """Return the ack in a decoded map."""
    ranges = fields.table(message[RANGES], "ack key 30")
    utc_ms = message.get(_UTC)
    resend = message.get(_RESEND)
    births = message.get(_BIRTHS)
    return Ack(
        *_ends(message, "ack"),
        ranges={
            fields.stream(stream, "ack key 30: stream"): _read_ranges(items, f"ack stream {stream}")
            for stream, items in ranges.items()
        },
        resend=() if _RESEND not in message else fields.each(resend, "ack key 31", _read_resend),
        utc_ms=fields.sint(utc_ms, "ack key 32") if _UTC in message else None,
        births=() if _BIRTHS not in message else fields.each(births, "ack key 33", fields.identity),
    )


def _ends(message: Mapping[Any, Any], kind: str) -> tuple[bytes, bytes]:
    node = fields.node(fields.required(message, 1, f"{kind} key 1 (node)"), f"{kind} key 1 (node)")
    where = f"{kind} key 14 (spool)"
    return node, fields.identity(fields.required(message, _SPOOL, where), where)


def _read_ranges(items: Any, where: str) -> tuple[tuple[int, int], ...]:
    ranges = fields.each(items, where, _read_range)
    for (_, end), (start, _) in pairwise(ranges):
        if start <= end:
            raise WireError(f"{where}: ranges must ascend and be disjoint, {start} follows {end}")
    return ranges


def _read_range(item: Any, where: str) -> tuple[int, int]:
    start, end = fields.array(item, where, 2)[:2]
    start, end = fields.uint(start, where, least=1), fields.uint(end, where)
    if end < start:
        raise WireError(f"{where}: the range {start} to {end} runs backwards")
    return start, end


def _read_resend(item: Any, where: str) -> tuple[int, int, int]:
    stream, *span = fields.array(item, where, 3)
    return fields.stream(stream, where), *_read_range(span, where)
