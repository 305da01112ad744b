"""Add up batches as the city would: which ordinals came, which are lost, and which are missing."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from edgenode.reading import EventCode
from edgenode.wire import Batch, Birth, Rows, decode, expand, readings_in

PLAIN = (EventCode.STATE_CHANGED, EventCode.LIMIT_EXCEEDED)  # events of which the value is a number

Span = tuple[int, int]  # first ordinal, first behind it


class Content(NamedTuple):
    """A batch unpacked: the values of its cells and plain events, its ordinals, and its losses."""

    stream: int
    values: tuple[int, ...]
    codes: tuple[int, ...]
    span: Span
    losses: tuple[tuple[int, Span], ...]  # stream, ordinals


@lru_cache(maxsize=4096)
def content(data: bytes, birth_data: bytes) -> Content:
    """Unpack a batch whose cells and plain events are whole numbers, none of them missing."""
    birth, raw = decode(birth_data), decode(data)
    assert isinstance(birth, Birth)
    assert isinstance(raw, Batch)
    batch = expand(raw, birth)
    found: list[int] = []
    for group in batch.groups:
        assert isinstance(group, Rows)
        assert not group.flags
        for column in group.columns:
            assert column is not None
            found += [int(value) for value in column]
    plain = (event.value for event in batch.events if event.code in PLAIN)
    found += [int(value) for value in plain if isinstance(value, int | float)]
    return Content(
        batch.stream,
        tuple(found),
        tuple(event.code for event in batch.events),
        (batch.r0, batch.r0 + readings_in(batch)),
        tuple((loss.stream, (loss.r0, loss.r0 + loss.n)) for loss in batch.losses),
    )


class Ledger:
    """Ordinals by stream. Every batch of a spool must be added, once."""

    def __init__(self) -> None:
        self._came: dict[int, list[Span]] = {}
        self._lost: dict[int, set[Span]] = {}

    def add(self, batch: Content) -> None:
        self._came.setdefault(batch.stream, []).append(batch.span)
        for stream, span in batch.losses:
            self._lost.setdefault(stream, set()).add(span)

    def lost(self, stream: int) -> int:
        """How many readings of a stream are told as lost."""
        return sum(after - first for first, after in joined(self._lost.get(stream, set())))

    def came(self, stream: int) -> int:
        """How many readings of a stream are in batches."""
        return sum(after - first for first, after in self._came.get(stream, []))

    def problems(self) -> list[str]:
        """Say where ordinals came twice, or neither came nor are told as lost."""
        found = []
        for stream, came in self._came.items():
            spans = sorted(span for span in came if span[0] < span[1])
            for (_, after), (first, _) in pairwise(spans):
                if first < after:
                    found.append(f"stream {stream}: ordinals from {first} came twice")
            told = joined(set(spans) | self._lost.get(stream, set()))
            if told and told[0][0] != 0:
                found.append(f"stream {stream}: nothing is told before ordinal {told[0][0]}")
            found += [
                f"stream {stream}: nothing is told of ordinals from {after} to {first}"
                for (_, after), (first, _) in pairwise(told)
            ]
        return found


def joined(spans: set[Span]) -> list[Span]:
    """Merge spans that overlap or touch."""
    merged: list[Span] = []
    for first, after in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(after, merged[-1][1]))
        else:
            merged.append((first, after))
    return merged
