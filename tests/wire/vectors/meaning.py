"""Messages as JSON values: what the vectors say a message means."""

from __future__ import annotations

from typing import Any

from edgenode.reading import Channel
from edgenode.wire import (
    About,
    Ack,
    Batch,
    Birth,
    Message,
    Rows,
    State,
    readings_in,
    schema_of,
)


def meaning(message: Message) -> dict[str, Any]:
    """Return what an expanded message says, in values that JSON holds."""
    if isinstance(message, Batch):
        return _batch(message)
    if isinstance(message, Birth):
        schema = message.schema or schema_of(message.groups)
        groups = {str(gid): [_channel(c) for c in group] for gid, group in message.groups.items()}
        return {"type": "birth", "node": message.node.hex(), "schema": schema.hex()} | {
            "groups": groups
        }
    if isinstance(message, About):
        return {
            "type": "about",
            "node": message.node.hex(),
            "site": message.site,
            "transparency": message.transparency,
            "firmware": message.firmware,
            "hardware": message.hardware,
        } | ({"commission": message.commission} if message.commission else {})
    return _state(message) if isinstance(message, State) else _ack(message)


def _state(state: State) -> dict[str, Any]:
    return {
        "type": "state",
        "node": state.node.hex(),
        "spool": state.spool.hex(),
        "online": state.online,
        "epoch": state.epoch,
        "connect_ms": state.connect_ms,
    }


def _ack(ack: Ack) -> dict[str, Any]:
    return {
        "type": "ack",
        "node": ack.node.hex(),
        "spool": ack.spool.hex(),
        "ranges": {str(stream): listed(ranges) for stream, ranges in ack.ranges.items()},
        "resend": listed(ack.resend),
        "utc_ms": ack.utc_ms,
        "births": [schema.hex() for schema in ack.births],
    }


def _channel(channel: Channel) -> dict[str, Any]:
    return {name: listed(getattr(channel, name)) for name in Channel.__slots__}


def _batch(batch: Batch) -> dict[str, Any]:
    return {
        "type": "batch",
        "node": batch.node.hex(),
        "epoch": batch.epoch,
        "seq": batch.seq,
        "r0": batch.r0,
        "schema": batch.schema.hex(),
        "tb": batch.tb,
        "spool": batch.spool.hex(),
        "anchors": listed(batch.anchors),
        "groups": [_rows(group) for group in batch.groups if isinstance(group, Rows)],
        "events": listed(batch.events),
        "stream": int(batch.stream),
        "privacy": int(batch.privacy),
        "losses": listed(batch.losses),
        "held": batch.held,
        "previous": listed(batch.previous),
        "readings": readings_in(batch),
    }


def _rows(rows: Rows) -> dict[str, Any]:
    return {
        "gid": rows.gid,
        "period": rows.period,
        "times": listed(rows.times),
        "columns": listed(rows.columns),
        "flags": listed(rows.flags),
    }


def listed(value: Any) -> Any:
    """Return tuples as lists and codes as numbers, all the way down."""
    if isinstance(value, (tuple, list)):
        return [listed(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value
