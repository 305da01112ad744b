"""Messages as plain values that JSON can hold: one for the message, one for each reading in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from enum import Enum
from typing import Any

from edgenode.cityos import wording
from edgenode.cityos.timing import Time, Timeline
from edgenode.cityos.unfold import unfold
from edgenode.wire import Batch, Birth, Message, RawGroup

Plain = dict[str, Any]


def describe(message: Message) -> Plain:
    """Return what a message says; of a batch everything but its groups and events."""
    fields = asdict(message)
    fields.pop("groups" if isinstance(message, Batch) else "", None)
    fields.pop("events", None)
    if isinstance(message, Birth):
        fields["schema"] = message.schema
    return {"message": type(message).__name__.lower(), **_plain(fields)}


def _plain(value: Any) -> Any:
    """Turn bytes into hex, codes into names, and every key into text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return value.name.lower().replace("_", "-")
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def packed(batch: Batch) -> Iterator[Plain]:
    """Yield the groups and events of a batch whose birth is not at hand."""
    for group in batch.groups:
        if isinstance(group, RawGroup):
            yield {"group": group.gid, **_plain(asdict(group))}
    for event in batch.events:
        yield {"event": wording.event(event.code), **_plain(event)}


def rows(batch: Batch, birth: Birth, timeline: Timeline) -> list[Plain]:
    """Return the readings and events of a batch in their order; raises WireError."""
    columns, events = unfold(batch, birth)
    found = [
        {
            "ordinal": column.first + column.step * i,
            "channel": column.channel.name,
            "value": column.values[i],
            "unit": column.channel.unit,
            "scale": column.channel.scale,
            "quality": wording.quality(column.qualities[i]),
            **_stamp(t, timeline.at(t)),
        }
        for column in columns
        for i, t in enumerate(column.times)
    ]
    found += [
        {
            "ordinal": x.ordinal,
            "event": wording.event(x.event.code),
            "channel": x.channel,
            "value": x.event.value,
            "quality": wording.quality(x.event.quality),
            **_stamp(x.event.t, timeline.at(x.event.t)),
        }
        for x in events
    ]
    found.sort(key=lambda row: int(str(row["ordinal"])))
    return found


def _stamp(mono: int, time: Time) -> Plain:
    return {
        "mono": mono,
        "utc": None if time.utc is None else wording.iso(time.utc),
        "err_ms": time.err,
        "earliest": None if time.earliest is None else wording.iso(time.earliest),
        "latest": None if time.latest is None else wording.iso(time.latest),
        "clock": wording.clock(time.clock),
    }
