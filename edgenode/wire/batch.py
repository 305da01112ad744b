"""The batch: who, when and where in the stream; its events and its losses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from operator import index
from typing import Any

from edgenode.errors import WireError
from edgenode.reading import Anchor, Channel, ClockSource, Privacy, Stream
from edgenode.wire import fields
from edgenode.wire.group import read_group, write_group
from edgenode.wire.limits import (
    EVERY_COLUMN,
    MAX_GID,
    MAX_GROUPS,
    MAX_LOSSES,
    MAX_UINT,
    MAX_WORK,
    VERSION,
)
from edgenode.wire.model import Batch, Loss, Previous, Rows, WireEvent

GROUPS = 8
_ANCHORS, _EVENTS, _STREAM, _PRIVACY, _LOSSES, _HELD, _PREVIOUS = 7, 9, 10, 11, 12, 13, 15
_MAX_CHANNEL = MAX_GID * 256 + EVERY_COLUMN


def write_batch(
    batch: Batch, channels: Mapping[int, tuple[Channel, ...]], *, plain: bool = False
) -> dict[int, Any]:
    """Return the map of a batch whose rows were checked against the channels of each gid."""
    groups = [
        write_group(rows, channels[rows.gid], batch.tb, plain=plain)
        for rows in batch.groups
        if isinstance(rows, Rows)
    ]
    required = {
        0: VERSION,
        1: batch.node,
        2: batch.epoch,
        3: batch.seq,
        4: batch.r0,
        5: batch.schema,
        6: batch.tb,
        _ANCHORS: [_integers(anchor) for anchor in batch.anchors],
        GROUPS: groups,
        14: batch.spool,
    }
    optional = {
        _EVENTS: [_write_event(event, batch.tb) for event in batch.events] or None,
        _STREAM: int(batch.stream) or None,
        _PRIVACY: int(batch.privacy) or None,
        _LOSSES: [_integers(loss) for loss in batch.losses] or None,
        _HELD: batch.held,
        _PREVIOUS: batch.previous and _integers(batch.previous),
    }
    return required | {key: value for key, value in optional.items() if value is not None}


def read_batch(message: Mapping[Any, Any]) -> Batch:
    """Return the batch in a decoded map, its groups still raw."""

    def uint(key: int, name: str, least: int = 0) -> int:
        where = f"batch key {key} ({name})"
        return fields.uint(fields.required(message, key, where), where, least=least)

    def identity(key: int, name: str) -> bytes:
        where = f"batch key {key} ({name})"
        return fields.identity(fields.required(message, key, where), where)

    epoch, tb = uint(2, "epoch"), uint(6, "tb")
    stream = _read_stream(message)
    groups = fields.array(message[GROUPS], "batch key 8 (groups)", 0, MAX_GROUPS)
    batch = Batch(
        node=fields.node(fields.required(message, 1, "batch key 1 (node)"), "batch key 1 (node)"),
        epoch=epoch,
        seq=uint(3, "seq", least=1),
        r0=uint(4, "r0"),
        schema=identity(5, "schema"),
        tb=tb,
        spool=identity(14, "spool"),
        anchors=_read_anchors(message),
        groups=tuple([read_group(item, at) for at, item in enumerate(groups)]),
        events=_read_events(message, tb),
        stream=stream,
        privacy=_read_privacy(message),
        losses=_read_losses(message, stream),
        held=uint(_HELD, "lowest seq held") if _HELD in message else None,
        previous=_read_previous(message, epoch),
    )
    if sum(item[3] for item in message[GROUPS]) + len(batch.events) > MAX_WORK:
        raise WireError(f"batch: more rows and events than {MAX_WORK}")
    return batch


def _integers(numbers: Iterable[int]) -> list[int]:
    return [index(number) for number in numbers]  # an IntEnum is not what the encoder expects


def _read_stream(message: Mapping[Any, Any]) -> int:
    if _STREAM not in message:
        return Stream.TELEMETRY
    where = "batch key 10 (stream)"
    return fields.not_default(fields.stream(message[_STREAM], where), Stream.TELEMETRY, where)


def _read_privacy(message: Mapping[Any, Any]) -> int:
    if _PRIVACY not in message:
        return Privacy.OPEN
    where = "batch key 11 (privacy)"
    code = fields.not_default(fields.uint(message[_PRIVACY], where), Privacy.OPEN, where)
    return fields.known(code, Privacy.AGGREGATE, Privacy.AGGREGATE)


def _read_anchors(message: Mapping[Any, Any]) -> tuple[Anchor, ...]:
    where = "batch key 7 (anchors)"
    anchors: list[Anchor] = []
    for item in fields.array(fields.required(message, _ANCHORS, where), where):
        mono, utc, source, err = fields.array(item, where, 4)[:4]
        source = fields.known(fields.uint(source, where), ClockSource.CITY, ClockSource.NONE)
        utc = fields.sint(utc, where)
        anchor = Anchor(fields.uint(mono, where), utc, source, fields.uint(err, where))
        if anchors and anchor.mono <= anchors[-1].mono:
            raise WireError(f"{where}: they must ascend, {anchor.mono} ms does not")
        anchors.append(anchor)
    return tuple(anchors)


def _read_previous(message: Mapping[Any, Any], current: int) -> Previous | None:
    if _PREVIOUS not in message:
        return None
    where = "batch key 15 (previous epoch)"
    epoch, mono, utc, err = fields.array(message[_PREVIOUS], where, 4)[:4]
    if fields.uint(epoch, where) >= current:
        raise WireError(f"{where}: epoch {epoch} is not before {current}")
    mono, utc = fields.uint(mono, where), fields.sint(utc, where)
    return Previous(epoch, mono, utc, fields.uint(err, where))


def _read_losses(message: Mapping[Any, Any], stream: int) -> tuple[Loss, ...]:
    if _LOSSES not in message:
        return ()
    where = "batch key 12 (losses)"
    losses = []
    for item in fields.array(message[_LOSSES], where, 1, MAX_LOSSES):
        of, *numbers = fields.array(item, where, 6)[:6]
        if fields.stream(of, where) != stream:
            raise WireError(f"{where}: a loss of stream {of} in a batch of stream {stream}")
        loss = Loss(of, *(fields.uint(number, where) for number in numbers))
        fields.uint(loss.r0 + loss.n, f"{where} last ordinal")
        fields.uint(loss.seq + loss.nseq, f"{where} last seq")
        losses.append(loss)
    return tuple(losses)


def _write_event(event: WireEvent, tb: int) -> list[Any]:
    value = _integers(event.value) if isinstance(event.value, tuple) else event.value
    item = [event.t - tb, event.ch, int(event.code), value, int(event.quality)]
    if event.quality:
        return item
    return item[:4] if value is not None else item[:3]


def _read_events(message: Mapping[Any, Any], tb: int) -> tuple[WireEvent, ...]:
    if _EVENTS not in message:
        return ()
    where = "batch key 9 (events)"
    items = fields.array(message[_EVENTS], where, 1, MAX_WORK)
    return tuple([_read_event(item, tb) for item in items])


def _read_event(item: Any, tb: int) -> WireEvent:
    dt, ch, code, *rest = fields.array(item, "batch key 9 (events)", 3)
    return WireEvent(
        t=fields.uint(
            tb + fields.uint(dt, "batch key 9 (events) dt"), "batch key 9 (events) stamp"
        ),
        ch=None if ch is None else fields.uint(ch, "batch key 9 (events) channel", _MAX_CHANNEL),
        code=fields.uint(code, "batch key 9 (events) code"),
        value=_read_value(rest[0], "batch key 9 (events) value") if rest else None,
        quality=fields.quality(rest[1], "batch key 9 (events) quality") if len(rest) > 1 else 0,
    )


def _read_value(value: Any, where: str) -> bool | float | tuple[int, ...] | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise fields.refuse(where, value, "a number that can travel")
        return value
    if isinstance(value, list):
        return fields.each(value, where, fields.sint)
    return fields.sint(value, where, MAX_UINT)
