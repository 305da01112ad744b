"""From a decoded batch and its birth to rows, and the rules that need the birth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgenode.errors import WireError
from edgenode.reading import Channel, Kind, Privacy
from edgenode.wire import fields
from edgenode.wire.birth import schema_in
from edgenode.wire.columns import unpack
from edgenode.wire.group import check_rows
from edgenode.wire.limits import EVERY_COLUMN, MAX_WORK
from edgenode.wire.model import Batch, Birth, Column, RawGroup, Rows, WireEvent

Groups = Mapping[int, tuple[Channel, ...]]


def expand(batch: Batch, birth: Birth) -> Batch:
    """Return the batch with Rows in place of every RawGroup, its privacy never below its channels.

    Raises WireError when the birth is not the one of key 5, when the work limit is passed (before
    anything is unpacked), and for everything that contradicts the birth.
    """
    if schema_in(birth) != batch.schema:
        raise WireError(
            f"the birth {schema_in(birth).hex()} is not of the batch's schema {batch.schema.hex()}"
        )
    check_work(batch, birth.groups)
    groups = tuple(
        _rows(group, birth.groups[group.gid], batch.tb, f"batch key 8 group {at}")
        if isinstance(group, RawGroup)
        else group
        for at, group in enumerate(batch.groups)
    )
    expanded = replace(batch, groups=groups, privacy=privacy_of(batch, birth.groups))
    check_batch(expanded, birth.groups)
    return expanded


def readings_in(batch: Batch) -> int:
    """Return the number of readings: cells of present columns, and events.

    The batch must be expanded; packed columns do not tell which of them are absent.
    """
    cells = 0
    for group in batch.groups:
        if isinstance(group, RawGroup):
            raise WireError("readings can only be counted after expand()")
        cells += len(group.times) * sum(column is not None for column in group.columns)
    return cells + len(batch.events)


def check_work(batch: Batch, groups: Groups) -> None:
    """Raise WireError when a gid is unknown or unpacking would be more work than is allowed."""
    work = len(batch.events)
    for group in batch.groups:
        if group.gid not in groups:
            raise WireError(f"batch key 8: the birth has no gid {group.gid}")
        rows = group.n if isinstance(group, RawGroup) else len(group.times)
        work += rows * len(groups[group.gid])
    if work > MAX_WORK:
        raise WireError(f"batch: {work} cells and events; at most {MAX_WORK} are allowed")


def privacy_of(batch: Batch, groups: Groups) -> int:
    """Return the highest class inside: what the batch says, or a channel of one of its groups."""
    classes = {channel.privacy for group in batch.groups for channel in groups[group.gid]}
    return max(batch.privacy, *classes, Privacy.OPEN)


def check_batch(batch: Batch, groups: Groups) -> None:
    """Raise WireError unless the rows and events of an expanded batch fit the birth."""
    latest: dict[int, int] = {}
    for at, group in enumerate(batch.groups):
        if isinstance(group, RawGroup):
            raise WireError("a batch is written from rows; expand() it first")
        try:
            check_rows(group, groups[group.gid])
        except WireError as error:
            raise WireError(f"batch key 8 group {at}: {error}") from None
        if group.times[0] < latest.get(group.gid, 0):
            raise WireError(f"batch key 8 group {at}: it begins before its gid's last group ends")
        latest[group.gid] = group.times[-1]
    for event in batch.events:
        _check_event(event, groups)
    fields.uint(batch.r0 + readings_in(batch), "batch key 4 (r0) and its readings")


def _check_event(event: WireEvent, groups: Groups) -> None:
    if event.ch is None:
        return
    gid, index = divmod(event.ch, 256)
    if gid not in groups or (index >= len(groups[gid]) and index != EVERY_COLUMN):
        raise WireError(f"batch key 9: the birth has no channel {index} of gid {gid}")


def _rows(group: RawGroup, channels: Sequence[Channel], tb: int, where: str) -> Rows:
    columns: tuple[Column, ...]
    if not isinstance(group.cols, bytes):
        columns = group.cols
    elif any(channel.kind == Kind.FLOAT for channel in channels):
        raise WireError(f"{where}: packed columns in a group with a float channel")
    else:
        unpacked = unpack(group.cols, group.n, len(channels))
        columns = tuple(None if column is None else tuple(column) for column in unpacked)
    return Rows(group.gid, group.period, _times(group, tb, where), columns, group.flags)


def _times(group: RawGroup, tb: int, where: str) -> tuple[int, ...]:
    start, drift = tb + group.t0, group.tres
    if isinstance(drift, bytes):
        (drift,) = unpack(drift, group.n, 1)
        if drift is None:
            raise WireError(f"{where}: tres is an absent column")
    if drift is None:
        return tuple(start + at * group.period for at in range(group.n))
    if drift[0] != 0:
        raise WireError(f"{where}: tres begins with {drift[0]}, not with 0")
    return tuple(start + at * group.period + late for at, late in enumerate(drift))
