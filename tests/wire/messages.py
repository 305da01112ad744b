"""Messages of every kind as hypothesis makes them: all within what a node or the City OS sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from edgenode.reading import Anchor, Channel, ClockSource, Kind, Privacy, Quality
from edgenode.wire import (
    About,
    Ack,
    Batch,
    Birth,
    Column,
    Flag,
    Loss,
    LossReason,
    Previous,
    Rows,
    State,
    WireEvent,
    schema_of,
)
from edgenode.wire.limits import MAX_UINT, MAX_VALUE

Draw = Callable[[st.SearchStrategy[Any]], Any]

nodes = st.binary(min_size=4, max_size=16)
ids = st.binary(min_size=8, max_size=8)
uints = st.integers(0, MAX_UINT) | st.integers(0, 100)
sints = st.integers(-MAX_UINT, MAX_UINT)
moments = st.integers(0, 1 << 42)
values = st.integers(-MAX_VALUE, MAX_VALUE) | st.integers(-100, 100)
floats = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
flaws = st.sampled_from([q for q in Quality if q]) | st.integers(16, 255)


@st.composite
def channels(draw: Draw, name: str) -> Channel:
    kind = draw(st.sampled_from(Kind))
    scale = 0 if kind is Kind.FLOAT else draw(st.integers(-18, 18))
    low, high = draw(st.just((None, None)) | st.just((-(10.0**scale), 10.0**scale)))
    maybe = st.none() | uints
    return Channel(
        name,
        draw(texts),
        scale,
        kind,
        observed=draw(texts),
        low=low,
        high=high,
        period_ms=draw(maybe),
        model=draw(texts),
        serial=draw(texts),
        calibration=draw(st.none() | st.tuples(texts, texts)),
        uncertainty=draw(maybe),
        privacy=draw(st.sampled_from(Privacy)),
        modulus=draw(st.none() | st.integers(1, MAX_UINT)),
        stamp_ms=draw(maybe),
    )


@st.composite
def births(draw: Draw) -> Birth:
    gids = draw(st.lists(st.integers(0, 65_535), min_size=1, max_size=4, unique=True))
    return Birth(
        draw(nodes),
        {
            gid: tuple(draw(channels(f"s{gid}/q-{at}")) for at in range(draw(st.integers(1, 4))))
            for gid in sorted(gids)
        },
    )


@st.composite
def batches(draw: Draw) -> tuple[Batch, Birth]:
    """Return a batch of any shape and its birth; every second one is a batch of events."""
    birth = draw(births())
    stream, epoch, tb = draw(st.integers(0, 15)), draw(st.integers(1, MAX_UINT)), draw(moments)
    previous = st.builds(Previous, st.integers(0, epoch - 1), moments, sints, uints)
    anchors = st.lists(
        st.builds(Anchor, uints, sints, st.sampled_from(ClockSource), uints),
        max_size=4,
        unique_by=lambda anchor: anchor.mono,
    )
    batch = Batch(
        node=birth.node,
        epoch=epoch,
        seq=draw(st.integers(1, MAX_UINT)),
        r0=draw(st.integers(0, 1 << 50)),
        schema=schema_of(birth.groups),
        tb=tb,
        spool=draw(ids),
        anchors=tuple(sorted(draw(anchors))),
        groups=_groups(draw, birth, tb),
        events=tuple(draw(st.lists(events(birth, tb), max_size=4))),
        stream=stream,
        privacy=draw(st.sampled_from(Privacy)),
        losses=tuple(draw(st.lists(losses(stream), max_size=3))),
        held=draw(st.none() | uints),
        previous=draw(st.none() | previous),
    )
    return batch, birth


def _groups(draw: Draw, birth: Birth, tb: int) -> tuple[Rows, ...]:
    groups, start = [], tb
    for gid in draw(st.lists(st.sampled_from(sorted(birth.groups)), max_size=4)):
        rows = draw(rows_of(gid, birth.groups[gid], start))
        groups.append(rows)
        start = rows.times[-1]
    return tuple(groups)


@st.composite
def rows_of(draw: Draw, gid: int, described: tuple[Channel, ...], start: int) -> Rows:
    n, period = draw(st.integers(1, 40)), draw(st.sampled_from([0, 1, 1_000, 60_000]))
    late = draw(st.just([0] * n) | st.lists(st.integers(0, 50), min_size=n, max_size=n))
    times = [start + at * max(period, 50) + x for at, x in enumerate(late)]
    columns = tuple(draw(st.none() | column(channel, n)) for channel in described)
    return Rows(gid, period, sorted(times), columns, _flags(draw, columns, n))


def column(channel: Channel, n: int) -> st.SearchStrategy[Column]:
    if channel.kind is Kind.FLOAT:
        return st.lists(floats, min_size=n, max_size=n).map(tuple)
    constant = values.map(lambda value: (value,) * n)
    return constant | st.lists(values, min_size=n, max_size=n).map(tuple)


def _flags(draw: Draw, columns: tuple[Column, ...], n: int) -> tuple[Flag, ...]:
    """Return no flag, one for every column, or one for each present column."""
    present = [at for at, each in enumerate(columns) if each is not None]
    named = draw(st.sampled_from([[], present, [255] if present else []]))
    flags = []
    for col in named:
        first = draw(st.integers(0, n - 1))
        flags.append(Flag(col, first, draw(st.integers(1, n - first)), draw(flaws)))
    return tuple(flags)


@st.composite
def events(draw: Draw, birth: Birth, tb: int) -> WireEvent:
    gid = draw(st.sampled_from(sorted(birth.groups)))
    indexes = [*range(len(birth.groups[gid])), 255]
    return WireEvent(
        tb + draw(st.integers(0, 1 << 40)),
        draw(st.sampled_from([None, *(gid * 256 + index for index in indexes)])),
        draw(st.integers(1, 20) | uints),
        draw(
            st.none()
            | st.booleans()
            | sints
            | floats
            | st.lists(sints, min_size=1, max_size=4).map(tuple)
        ),
        draw(st.just(0) | flaws),
    )


def losses(stream: int) -> st.SearchStrategy[Loss]:
    half = st.integers(0, MAX_UINT // 2)
    return st.builds(Loss, st.just(stream), half, half, st.sampled_from(LossReason), half, half)


plain = st.recursive(
    st.none() | st.booleans() | sints | floats | texts | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
abouts = st.builds(
    About,
    nodes,
    st.dictionaries(texts, plain, max_size=4),
    st.dictionaries(texts, texts, max_size=4),
    texts,
    texts,
    texts,
)
states = st.builds(State, nodes, ids, st.booleans(), uints, uints)
ranges = st.lists(st.integers(1, MAX_UINT), min_size=2, max_size=12, unique=True).map(
    lambda ends: tuple(
        (low, high) for low, high in zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False)
    )
)
resends = st.tuples(st.integers(0, 15), st.integers(1, 99), st.integers(99, MAX_UINT))
acks = st.builds(
    Ack,
    nodes,
    ids,
    st.dictionaries(st.integers(0, 15), ranges, max_size=4),
    st.lists(resends, max_size=4).map(tuple),
    st.none() | sints,
    st.lists(ids, max_size=3).map(tuple),
)
