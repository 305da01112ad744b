"""From a batch and its birth to single readings and events, numbered as the wire format says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from edgenode.reading import NUMBERLESS, Channel, Quality
from edgenode.wire import Batch, Birth, Flag, Rows, WireEvent, expand, unscaled

WHOLE = 255  # channel index of an event or column of a flag: the whole sensor, every column
# Of a code that we do not know nobody can say what its number is worth: none is better.
NUMBERED = frozenset(Quality) - NUMBERLESS


class Column(NamedTuple):
    """The readings of one channel in one group; ordinals go on from `first` by `step`."""

    gid: int
    place: int  # of the channel in its gid
    channel: Channel
    first: int
    step: int
    times: Sequence[int]  # boot-time ms
    values: list[float | None]
    qualities: list[int]


class Happening(NamedTuple):
    """One event with its ordinal and its channel in words (None: the node)."""

    ordinal: int
    event: WireEvent
    channel: str | None

    def value(self) -> str | None:
        """Return the value as JSON text."""
        return None if self.event.value is None else json.dumps(self.event.value)


def unfold(batch: Batch, birth: Birth) -> tuple[list[Column], list[Happening]]:
    """Return all readings of a batch by column, then its events; raises WireError."""
    full = expand(batch, birth)
    ordinal = batch.r0
    columns: list[Column] = []
    for group in full.groups:
        if isinstance(group, Rows):  # always so after expand
            fresh = list(_columns(group, birth.groups[group.gid], ordinal))
            ordinal += len(fresh) * len(group.times)
            columns.extend(fresh)
    return columns, [
        Happening(ordinal + i, event, _where(event.ch, birth))
        for i, event in enumerate(full.events)
    ]


def _columns(group: Rows, channels: tuple[Channel, ...], ordinal: int) -> Iterator[Column]:
    present = [place for place, column in enumerate(group.columns) if column is not None]
    for offset, place in enumerate(present):
        channel, column = channels[place], group.columns[place] or ()
        qualities = _qualities(group.flags, place, len(group.times))
        values: list[float | None] = [
            v if isinstance(v, float) else unscaled(v, channel.scale) for v in column
        ]
        for row, quality in enumerate(qualities):
            if quality not in NUMBERED:
                values[row] = None
        first, step = ordinal + offset, len(present)
        yield Column(group.gid, place, channel, first, step, group.times, values, qualities)


def _qualities(flags: Sequence[Flag], place: int, rows: int) -> list[int]:
    qualities = [int(Quality.OK)] * rows
    for flag in flags:
        if flag.col in {place, WHOLE}:
            qualities[flag.start : flag.start + flag.length] = [flag.quality] * flag.length
    return qualities


def _where(ch: int | None, birth: Birth) -> str | None:
    """Name what an event is about: a channel, a sensor as "<sensor>/*", or the node."""
    if ch is None:
        return None
    gid, place = divmod(ch, 256)
    channels = birth.groups.get(gid, ())
    if place < len(channels):
        return channels[place].name
    if place == WHOLE and channels:
        return channels[0].name.rpartition("/")[0] + "/*"
    return f"{gid}/{place}"  # the birth does not name it
