"""One group of a batch: its columns, stamps and flags, from rows to an array and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import gt, sub
from typing import Any

from edgenode.errors import WireError
from edgenode.reading import Channel, Kind
from edgenode.wire import cbor, fields
from edgenode.wire.columns import pack
from edgenode.wire.limits import EVERY_COLUMN, MAX_CHANNELS, MAX_GID, MAX_ROWS, MAX_VALUE
from edgenode.wire.model import Column, Flag, RawGroup, Rows


def write_group(rows: Rows, channels: Sequence[Channel], tb: int, *, plain: bool) -> list[Any]:
    """Return the array of a group, the columns packed or plain, whichever is shorter.

    The caller has checked the rows; `plain` forces plain columns.
    """
    n = len(rows.times)
    start = rows.times[0]
    drift = [t - start - at * rows.period for at, t in enumerate(rows.times)]
    tres = _shorter(pack([drift]), _deltas(drift)) if any(drift) else None
    item = [rows.gid, start - tb, rows.period, n, _write_columns(rows.columns, channels, plain)]
    if tres is not None or rows.flags:
        item.append(tres)
    if rows.flags:
        item.append([[int(part) for part in flag] for flag in rows.flags])
    return item


def _write_columns(columns: Sequence[Column], channels: Sequence[Channel], plain: bool) -> Any:  # noqa: FBT001 - passed on
    floats = any(channel.kind == Kind.FLOAT for channel in channels)
    if plain or floats:
        return _plain(columns, channels)
    integers: Any = columns
    packed = pack(integers)
    least = sum(1 if column is None else 1 + len(column) for column in columns)
    if len(packed) + 3 <= least:  # no plain form can be shorter than its items
        return packed
    return _shorter(packed, _plain(columns, channels))


def _shorter(packed: bytes, plain: list[Any]) -> bytes | list[Any]:
    return packed if _size(packed) <= _size(plain) else plain


def _deltas(values: Sequence[Any]) -> list[Any]:
    return [values[0], *map(sub, values[1:], values)]


def _size(item: Any) -> int:
    return len(cbor.dumps(item))


def _plain(columns: Sequence[Column], channels: Sequence[Channel]) -> list[Any]:
    return [
        None
        if column is None
        else [float(x) for x in column]
        if channel.kind == Kind.FLOAT
        else _deltas(column)
        for column, channel in zip(columns, channels, strict=True)
    ]


def read_group(item: Any, at: int) -> RawGroup:
    """Return group number `at` as far as it can be understood without its birth."""
    try:
        return _read_group(item)
    except WireError as error:  # where it is, is put together only for those who want to know
        raise WireError(f"batch key 8 group {at}: {error}") from None


def _read_group(item: Any) -> RawGroup:
    gid, t0, period, n, cols, *rest = fields.array(item, "array", 5)
    n = fields.uint(n, "rows", MAX_ROWS, 1)
    tres = rest[0] if rest else None
    if isinstance(tres, list):
        tres = _undo_deltas(tres, n, "tres")
    elif not (tres is None or isinstance(tres, bytes)):
        raise fields.refuse("tres", tres, "null, a byte string or an array")
    if not isinstance(cols, bytes):
        items = fields.array(cols, "columns", 1, MAX_CHANNELS)
        cols = tuple([_read_plain(column, n) for column in items])
    return RawGroup(
        gid=fields.uint(gid, "gid", MAX_GID),
        t0=fields.uint(t0, "t0"),
        period=fields.uint(period, "period"),
        n=n,
        cols=cols,
        tres=tres,
        flags=_read_flags(rest[1], n) if len(rest) > 1 else (),
    )


def _read_plain(column: Any, n: int) -> tuple[int, ...] | tuple[float, ...] | None:
    if column is None:
        return None
    items = fields.array(column, "column", n, n)
    if set(map(type, items)) == {float}:
        return tuple(items)
    return _undo_deltas(items, n, "column")


def _undo_deltas(items: list[Any], n: int, where: str) -> tuple[int, ...]:
    if len(items) != n or set(map(type, items)) != {int}:
        raise WireError(f"{where}: not {n} integers, nor {n} floats of a float channel")
    values = tuple(accumulate(items))
    if max(values) > MAX_VALUE or min(values) < -MAX_VALUE:
        raise WireError(f"{where}: a value beyond 2^50")
    return values


def _read_flags(items: Any, n: int) -> tuple[Flag, ...]:
    flags = []
    for item in fields.array(items, "flags", 1, MAX_CHANNELS * n):
        col, start, length, quality = fields.array(item, "flags", 4)[:4]
        flag = Flag(
            fields.uint(col, "flags column", EVERY_COLUMN),
            fields.uint(start, "flags start", MAX_ROWS - 1),
            fields.uint(length, "flags length", MAX_ROWS, 1),
            fields.quality(quality, "flags quality"),
        )
        fields.not_default(flag.quality, 0, "flags quality")
        if flag.start + flag.length > n:
            raise WireError(f"flags: {flag} runs beyond row {n}")
        flags.append(flag)
    return tuple(flags)


def check_rows(rows: Rows, channels: Sequence[Channel]) -> None:
    """Raise WireError unless the columns, stamps and flags fit each other and the channels."""
    n = len(rows.times)
    if not 1 <= n <= MAX_ROWS:
        raise WireError(f"{n} rows, where 1 to {MAX_ROWS} are allowed")
    if len(rows.columns) != len(channels):
        raise WireError(
            f"{len(rows.columns)} columns for the {len(channels)} channels of the birth"
        )
    for column, channel in zip(rows.columns, channels, strict=True):
        if column is not None:
            _check_column(column, n, channel)
    if any(map(gt, rows.times, rows.times[1:])):
        raise WireError("the stamps of its rows go back in time")
    fields.uint(rows.times[-1], "last stamp")
    if rows.flags:
        check_flags(rows.flags, rows.columns)


def _check_column(column: Sequence[float], n: int, channel: Channel) -> None:
    wanted = float if channel.kind == Kind.FLOAT else int
    if len(column) != n:
        raise WireError(f"channel {channel.name!r}: {len(column)} values for {n} rows")
    if set(map(type, column)) != {wanted}:
        raise WireError(f"channel {channel.name!r}: its values must all be {wanted.__name__}")
    if wanted is float and not all(map(math.isfinite, column)):
        raise WireError(f"channel {channel.name!r}: NaN and infinity never travel; send a fault")


def check_flags(flags: Iterable[Flag], columns: Sequence[Column]) -> None:
    """Raise WireError for a flag of no channel, or of a cell that another flag has named.

    A flag of an absent column is let through, since other encoders write it; it marks no reading.
    """
    everywhere = anywhere = 0  # rows flagged in every present column, and in any single one
    single: dict[int, int] = {}
    for flag in flags:
        run = (1 << flag.length) - 1 << flag.start
        if flag.col == EVERY_COLUMN:
            taken = everywhere | anywhere
            everywhere |= run
        elif flag.col >= len(columns):
            raise WireError(f"{flag} names a channel that the birth lacks")
        else:
            present = columns[flag.col] is not None
            taken = single.get(flag.col, 0) | (everywhere if present else 0)
            anywhere |= run if present else 0
            single[flag.col] = single.get(flag.col, 0) | run
        if run & taken:
            raise WireError(f"{flag} names a cell for the second time")
