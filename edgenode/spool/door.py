"""The door of the spool: floats in their unit become integers once, here, and stay integers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from edgenode.errors import SpoolError, WireError
from edgenode.reading import NUMBERLESS, Event, Group, Kind, Quality, Sample
from edgenode.spool.rows import Row, event_row, sample_row
from edgenode.wire import scaled
from edgenode.wire.limits import EVERY_COLUMN, MAX_VALUE


class Door:
    """Turns the samples of one group into rows. The window alone looks at and sets `shut`."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.shut = False  # nothing may come through any more
        self._gid = group.gid
        self._channels = [
            (channel.scale, channel.modulus, channel.kind == Kind.FLOAT)
            for channel in group.channels
        ]

    def row(self, t: int, sample: Sample) -> Row:
        """Quantise a sample; raises SpoolError when it has not one value per channel."""
        if len(sample.values) != len(self._channels):
            raise SpoolError(
                f"group {self._gid} has {len(self._channels)} channels, "
                f"its sample {len(sample.values)} values: check the driver's `read`"
            )
        quality: list[int] | None = list(sample.quality) or None
        values: list[int | float | None] = []
        for index, (value, (scale, modulus, raw)) in enumerate(
            zip(sample.values, self._channels, strict=True)
        ):
            v = None if value is None else _number(value, scale, modulus, raw)
            values.append(v)
            if v is None:
                quality = quality or [Quality.OK] * len(self._channels)
                quality[index] = _why(value, quality[index])
        if quality is not None and not any(quality):
            quality = None
        return sample_row(self._gid, max(0, t), values, quality)


def _number(
    value: float,
    scale: int,
    modulus: int | None,
    raw: bool,  # noqa: FBT001 - a channel's kind
) -> int | float | None:
    """Return what travels, None where the value cannot."""
    if raw:
        return float(value) if math.isfinite(value) else None
    try:
        v = scaled(value, scale)
    except WireError:
        return None
    return v % modulus if modulus else v


def _why(value: float | None, quality: int) -> int:
    """Without a number the quality must say so: a value that cannot travel is a fault.

    What settles, or is stale, and has no number yet is missing: beside those qualities a receiver
    takes the number that travels, which is that of another row.
    """
    if value is not None:
        return Quality.FAULT
    return quality if quality in NUMBERLESS else Quality.MISSING


def channel_of(gid: int | None, index: int) -> int | None:
    """Return the `ch` of an event: gid * 256 + index; None for the node."""
    return None if gid is None else gid * 256 + min(index, EVERY_COLUMN)


def event_to_row(t: int, gid: int | None, event: Event) -> Row:
    """Return the row of an event; a value that cannot travel becomes null, flagged as a fault."""
    value: Any = event.value
    quality = int(event.quality)
    if isinstance(value, tuple):
        value = [int(number) for number in value]
        fine = bool(value) and _in_range(value)
    else:
        fine = value is None or (math.isfinite(value) and _in_range([value]))
    if not fine:
        value, quality = None, Quality.FAULT
    return event_row(max(0, t), channel_of(gid, event.channel), int(event.code), value, quality)


def _in_range(values: Sequence[float]) -> bool:
    return all(isinstance(v, float) or abs(v) <= MAX_VALUE for v in values)
