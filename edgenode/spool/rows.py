"""Rows as the window and the journal hold them: short CBOR, each behind its length.

A sample is [gid, t, v, ...], or [gid, t, [v or null, ...], [quality, ...]] where not all is ok;
an event is [-1, t, ch, code, value, quality]. A payload is a head and the rows of its segments.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import cbor2

from edgenode.errors import SpoolError

EVENT = -1
MALFORMED = (  # what decoding bytes that are not what they should be may raise
    cbor2.CBORError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    AttributeError,
    StopIteration,
    RuntimeError,  # a StopIteration inside a generator
    struct.error,
)
_LENGTH = struct.Struct("<H")


class Row(NamedTuple):
    """One row of a stream: how many readings it counts, and its bytes."""

    readings: int
    data: bytes


class Segment(NamedTuple):
    """Rows of one stream that follow each other; `gap` readings before `r0` were dropped."""

    stream: int
    gap: int
    r0: int
    rows: tuple[Row, ...]

    @property
    def end(self) -> int:
        """The ordinal behind the last row."""
        return self.r0 + sum(row.readings for row in self.rows)


class Payload(NamedTuple):
    """The content of a commit: rows of one epoch and one schema."""

    epoch: int
    schema: bytes
    segments: tuple[Segment, ...]


def sample_row(gid: int, t: int, values: Sequence[Any], quality: Sequence[int] | None) -> Row:
    """Return the row of a sample, quantised already; None of `quality` means all ok."""
    if quality is None:
        return Row(len(values), cbor2.dumps([gid, t, *values]))
    return Row(len(values), cbor2.dumps([gid, t, list(values), list(quality)]))


def event_row(t: int, ch: int | None, code: int, value: Any, quality: int) -> Row:
    """Return the row of an event."""
    return Row(1, cbor2.dumps([EVENT, t, ch, code, value, quality]))


def decode_row(data: bytes) -> list[Any]:
    """Return the row as a list, told apart by its first element and the type of its third."""
    row: list[Any] = cbor2.loads(data)
    return row


def encode_payload(payload: Payload) -> bytes:
    """Return the bytes of a commit."""
    head = [
        payload.epoch,
        payload.schema,
        [[s.stream, s.gap, s.r0, len(s.rows)] for s in payload.segments],
    ]
    parts = [cbor2.dumps(head), *(row.data for s in payload.segments for row in s.rows)]
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def decode_payload(data: bytes) -> Payload:
    """Return what `encode_payload` was given; raises SpoolError when the bytes are no payload."""
    try:
        parts = _parts(data)
        epoch, schema, heads = cbor2.loads(next(parts))
        segments = [
            Segment(stream, gap, r0, tuple(_row(next(parts)) for _ in range(count)))
            for stream, gap, r0, count in heads
        ]
    except MALFORMED as error:
        raise SpoolError(f"a commit of the journal is not readable: {error}") from error
    return Payload(epoch, schema, tuple(segments))


def _parts(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        (size,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        yield data[at : at + size]
        at += size


def _row(data: bytes) -> Row:
    row = decode_row(data)
    if row[0] == EVENT:
        return Row(1, data)
    return Row(len(row[2]) if isinstance(row[2], list) else len(row) - 2, data)
