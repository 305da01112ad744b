"""What the small things were when they were last written, by both halves of a spool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from edgenode.errors import SpoolError
from edgenode.reading import Anchor, ClockSource
from edgenode.spool.block import Status
from edgenode.spool.journal import Found
from edgenode.spool.model import Moment
from edgenode.spool.store import Meta
from edgenode.spool.times import Times
from edgenode.spool.totals import Totals, load_totals
from edgenode.wire import Previous

_Thing = TypeVar("_Thing")


def times_of(found: Found, meta: Mapping[int, bytes], epoch: int) -> Times:
    """Return the anchors of the store with the estimates of the journal, for a life in `epoch`."""
    times = loaded(Times.load, meta.get(Meta.TIMES), Times())
    before: Status | None = None
    for status in found.statuses:
        times.begin(status.epoch, _end_of(before))
        if status.source != ClockSource.NONE:
            anchor = Anchor(status.mono, status.utc, status.source, status.err)
            times.note_if_none(status.epoch, anchor)
        before = status
    times.begin(epoch, _end_of(before))
    return times


def _end_of(status: Status | None) -> Previous | None:
    if status is None or status.source == ClockSource.NONE:
        return None
    return Previous(status.epoch, status.mono, status.utc, status.err)


def totals_of(found: Found, meta: Mapping[int, bytes]) -> Totals:
    """Return the totals that came last, whichever half has them."""
    totals = Totals()
    totals.merge(loaded(load_totals, meta.get(Meta.TOTALS), []))
    if found.status:
        totals.merge(found.status.totals.items())
    return totals


def last_moment(found: Found, state: Sequence[Any] | None) -> Moment | None:
    """Return the last moment that either half tells of; None for a spool just begun."""
    told = [Moment(state[4], state[5], _known(*state[6:9]))] if state else []
    if status := found.status:
        told.append(Moment(*status[3:5], _known(*status[5:8])))
    return max(told, key=lambda moment: moment[:2], default=None)


def _known(utc: int, _err: int, source: int) -> int | None:
    return None if source == ClockSource.NONE else utc


def loaded(load: Callable[[bytes], _Thing], data: bytes | None, empty: _Thing) -> _Thing:
    """Return what was stored, or nothing where there is nothing or it cannot be read."""
    if data is None:
        return empty
    try:
        return load(data)
    except SpoolError:
        return empty
