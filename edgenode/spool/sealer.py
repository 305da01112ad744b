"""From rows in the order of arrival to the groups and events of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from edgenode.reading import ALARMS, Channel, EventCode, Kind, Quality
from edgenode.spool.rows import EVENT, Row, decode_row
from edgenode.wire import MAX_ROWS, Flag, Rows, WireEvent
from edgenode.wire.limits import EVERY_COLUMN

Channels = Mapping[int, tuple[Channel, ...]]


class Contents(NamedTuple):
    """What a batch is made of; `tb` is its earliest boot-time, `flags` counts its flags."""

    tb: int
    groups: tuple[Rows, ...]
    events: tuple[WireEvent, ...]
    privacy: int
    readings: int


class _Taken(NamedTuple):
    """One decoded sample."""

    t: int
    values: Sequence[Any]
    quality: Sequence[int]  # empty: all ok


def contents(rows: Sequence[Row], channels: Channels) -> Contents:
    """Sort rows by group; the order within a group is that of time, then of arrival.

    Raises KeyError when a row is of a group that `channels` lacks.
    """
    samples: dict[int, list[_Taken]] = {}
    events = []
    for row in rows:
        first, t, *rest = decode_row(row.data)
        if first == EVENT:
            ch, code, value, quality = rest
            value = tuple(value) if isinstance(value, list) else value
            events.append(WireEvent(t, ch, code, value, quality))
        else:
            flagged = isinstance(rest[0], list)
            taken = _Taken(t, rest[0], rest[1]) if flagged else _Taken(t, rest, ())
            samples.setdefault(first, []).append(taken)
    groups = [group for gid in sorted(samples) for group in _groups(gid, samples[gid], channels)]
    starts = [group.times[0] for group in groups] + [event.t for event in events]
    used = [channel for gid in samples for channel in channels[gid]]
    used += [c for event in events for c in _channels_of(event.ch, channels)]
    privacy = max((int(channel.privacy) for channel in used), default=0)
    readings = sum(row.readings for row in rows)
    return Contents(min(starts, default=0), tuple(groups), tuple(events), privacy, readings)


def is_alarm(row: Row) -> bool:
    """Tell whether the row of an event is an alarm; under maintenance nothing is."""
    _, _, _, code, _, quality = decode_row(row.data)
    return code in ALARMS and quality != Quality.MAINTENANCE


def is_hasty(row: Row) -> bool:
    """Tell whether the row of an event is sealed at once: an alarm is, and a mark."""
    return is_alarm(row) or decode_row(row.data)[3] == EventCode.MARKED


def _channels_of(ch: int | None, channels: Channels) -> Sequence[Channel]:
    if ch is None:
        return ()
    group, index = channels.get(ch // 256, ()), ch % 256
    return group if index == EVERY_COLUMN else group[index : index + 1]


def _groups(gid: int, samples: list[_Taken], channels: Channels) -> list[Rows]:
    samples.sort(key=lambda sample: sample.t)
    return [
        _group(gid, samples[at : at + MAX_ROWS], channels[gid])
        for at in range(0, len(samples), MAX_ROWS)
    ]


def _group(gid: int, samples: list[_Taken], channels: tuple[Channel, ...]) -> Rows:
    times = [sample.t for sample in samples]
    period = channels[0].period_ms or (times[1] - times[0] if len(times) > 1 else 0)
    raw = zip(*(sample.values for sample in samples), strict=True)
    columns = tuple(
        _filled(column, raw=channel.kind == Kind.FLOAT)
        for column, channel in zip(raw, channels, strict=True)
    )
    return Rows(gid, period, times, columns, _flags(samples, len(channels)))


def _filled(column: tuple[Any, ...], *, raw: bool) -> Sequence[Any]:
    """Put the previous value where there is none; at the start the next one, else 0.

    A float channel begins with 0.0 instead, as the wire format has it for values never sent.
    """
    if None not in column:
        return column
    present = (value for value in column if value is not None)
    last = 0.0 if raw else next(present, 0)
    filled = []
    for value in column:
        last = last if value is None else value
        filled.append(last)
    return filled


def _flags(samples: list[_Taken], width: int) -> tuple[Flag, ...]:
    """Return runs of quality other than ok: of whole rows where they agree, else by column."""
    if not any(sample.quality for sample in samples):
        return ()
    whole = [_of_row(sample.quality) for sample in samples]
    flags = _runs(EVERY_COLUMN, [quality or 0 for quality in whole])
    for col in range(width):
        flags += _runs(
            col,
            [
                sample.quality[col] if quality is None else 0
                for sample, quality in zip(samples, whole, strict=True)
            ],
        )
    return tuple(flags)


def _of_row(quality: Sequence[int]) -> int | None:
    """Return the one quality of a whole row; None when its channels differ."""
    if not quality:
        return 0
    return quality[0] if all(q == quality[0] for q in quality) else None


def _runs(col: int, qualities: Sequence[int]) -> list[Flag]:
    flags, start = [], 0
    for quality, run in groupby(qualities):
        length = sum(1 for _ in run)
        if quality:
            flags.append(Flag(col, start, length, quality))
        start += length
    return flags
