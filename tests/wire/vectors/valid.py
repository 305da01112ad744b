"""Messages that must be read, and what they mean: those of the encoder, then those of others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from edgenode.reading import Anchor, ClockSource, EventCode, Quality
from edgenode.wire import (
    About,
    Ack,
    Batch,
    Birth,
    Flag,
    Loss,
    LossReason,
    Message,
    Previous,
    Rows,
    State,
    WireEvent,
    encode,
    schema_of,
)
from edgenode.wire.codec import encode_batch
from tests.wire.vectors import births
from tests.wire.vectors.births import NODE, SCHEMA, SPOOL

ANCHOR = Anchor(3_600_000, 1_795_000_000_000, ClockSource.NTP, 12)
EMPTY = Batch(
    node=NODE, epoch=3, seq=1, r0=0, schema=SCHEMA, tb=3_600_000, spool=SPOOL, anchors=(ANCHOR,)
)
GRID = tuple(range(3_600_000, 3_660_000, 1_000))
WAVE = tuple(2_150 + (at * at * 7919) % 23 - 11 for at in range(60))
RAMP = tuple(450 + 3 * at for at in range(60))
RARE = tuple(101_325 + (at > 20) + (at > 41) for at in range(60))


class Valid(NamedTuple):
    """A message that must be read."""

    name: str
    data: bytes
    birth: Birth | None
    means: Message


def of_the_encoder() -> Iterator[Valid]:
    """Yield every kind of message as `encode` writes it."""
    for name, batch, birth in (*_batches(), *_columns()):
        yield Valid(name, encode(batch, birth), birth, batch)
    full = Rows(0, 1_000, GRID, (WAVE, RAMP, RARE))
    plain = replace(EMPTY, groups=(full,))
    yield Valid(
        "the same rows plain", encode_batch(plain, births.CITY, plain=True), births.CITY, plain
    )
    for name, message in _others():
        yield Valid(name, encode(message), None, message)


def _batches() -> Iterator[tuple[str, Batch, Birth]]:
    city = births.CITY
    yield "batch without readings", replace(EMPTY, held=1), city
    rows = Rows(0, 1_000, GRID, (WAVE, RAMP, RARE))
    yield "batch of one packed group", replace(EMPTY, groups=(rows,)), city
    flags = (Flag(0, 3, 2, Quality.FAULT), Flag(1, 0, 60, Quality.STALE), Flag(2, 59, 1, 200))
    yield "flags on single columns", replace(EMPTY, groups=(replace(rows, flags=flags),)), city
    every = (Flag(255, 10, 5, Quality.MISSING), Flag(0, 15, 1, Quality.FAULT))
    yield "flags on every column", replace(EMPTY, groups=(replace(rows, flags=every),)), city
    late = tuple(t + (at % 7 == 3) * 4 for at, t in enumerate(GRID))
    yield "stamps off the grid", replace(EMPTY, groups=(replace(rows, times=late),)), city
    wild = tuple(3_600_000 + at * at for at in range(60))
    irregular = replace(rows, period=0, times=wild, flags=every)
    yield "irregular stamps and flags", replace(EMPTY, groups=(irregular,)), city
    burst = Rows(0, 0, (3_600_005,) * 3, ((1, 2, 3), None, (9, 9, 9)))
    yield "rows of one time", replace(EMPTY, groups=(burst,)), city
    absent = Rows(0, 1_000, GRID[:4], (None, None, None))
    yield "group with every channel absent", replace(EMPTY, groups=(absent,)), city
    floats = Rows(7, 500, (3_600_000, 3_600_500, 3_601_000), ((1.5, 0.1, 100000.5), (0, 1, 1)))
    yield "floats of all three widths", replace(EMPTY, groups=(floats,)), city
    yield (
        "float column absent",
        replace(EMPTY, groups=(Rows(7, 500, (3_600_000,), (None, (1,))),)),
        city,
    )
    meter = Rows(1, 1_000, GRID[:2], ((2**32 - 1, 0), (230, 231)))
    yield "a private channel raises the class", replace(EMPTY, groups=(meter,), privacy=1), city
    later = replace(rows, period=500, times=tuple(3_659_000 + 500 * at for at in range(60)))
    yield "a gid that repeats", replace(EMPTY, groups=(rows, later)), city
    events = (
        WireEvent(3_600_000, None, EventCode.BOOT, 2),
        WireEvent(3_600_001, 1, EventCode.COUNTER_RESET, (4_000, 0, 60_000, 1)),
        WireEvent(3_600_002, 255, EventCode.SENSOR_LOST, 4),
        WireEvent(3_600_003, 7 * 256 + 1, EventCode.STATE_CHANGED, value=True),
        WireEvent(3_600_004, 7 * 256, EventCode.LIMIT_EXCEEDED, 3.1, Quality.ESTIMATED),
        WireEvent(3_600_005, None, EventCode.TAMPER),
        WireEvent(3_600_006, None, EventCode.CLOCK_STEPPED, -(2**53 - 1)),
        WireEvent(3_600_007, 0, 1024, None, Quality.SUPPRESSED_PRIVACY),
        WireEvent(2**53 - 1, None, 2**53 - 1, value=False, quality=255),
    )
    yield "events of every shape", replace(EMPTY, stream=1, events=events), city
    losses = (
        Loss(1, 0, 100, LossReason.DISK_FULL, 4, 2),
        Loss(1, 100, 7, LossReason.RING_OVERFLOW, 0, 0),
        Loss(1, 200, 1, 99, 9, 0),
    )
    yield (
        "losses and the lowest seq held",
        replace(EMPTY, stream=1, seq=2**53 - 1, r0=2**53 - 1, losses=losses, held=10),
        city,
    )
    yield (
        "64 losses",
        replace(EMPTY, losses=tuple(Loss(0, 10 * at, 5, at % 7, 0, 0) for at in range(64))),
        city,
    )
    anchors = (
        Anchor(0, -1, ClockSource.RTC, 2**53 - 1),
        Anchor(5, 1_795_000_000_000, ClockSource.GNSS, 0),
        Anchor(2**53 - 1, 2**53 - 1, ClockSource.CITY, 1),
    )
    yield (
        "anchors and the epoch before",
        replace(EMPTY, anchors=anchors, previous=Previous(2, 99_000, 1_794_999_000_000, 2_000)),
        city,
    )
    yield (
        "no anchor, unassigned stream, aggregate",
        replace(EMPTY, anchors=(), stream=15, privacy=2),
        city,
    )
    for size in (4, 16):
        yield f"node id of {size} bytes", replace(EMPTY, node=bytes(range(size))), city


def _columns() -> Iterator[tuple[str, Batch, Birth]]:
    top = 2**50 - 1
    for name, values in {
        "one row": (5,),
        "constant zero": (0,) * 4,
        "the largest values": (top, -top, top, -top, -top, top),
        "constant at the limit": (-top,) * 3,
        "noise, order 0": (50, 53, 48, 51, 50, 47, 52, 49, 50, 54, 46, 50),
        "steps, order 1": tuple((at * at * 31) % 17 + 40 * at for at in range(40)),
        "a parabola, order 2": tuple(at * at * 5 for at in range(40)),
        "zero-runs of order 0": (9,) * 20 + (30,) + (9,) * 19,
        "zero-runs of order 1": (0,) * 30 + (777,) * 30,
        "zero-runs of order 2": tuple(at * 100 for at in range(30)) + (2_900,) * 30,
        "an escape": (0, 1, 0, 2, 1, 10**12, 1, 0, 1, 2, 0, 1),
        "4096 rows": tuple(at % 3 for at in range(4096)),
    }.items():
        yield f"column: {name}", _one(values), births.ONE
    columns = tuple(None if at % 2 else (at, at + 1) for at in range(255))
    wide = Rows(0, 60_000, (3_600_000, 3_660_000), columns)
    last = Rows(65535, 0, (3_600_000,), ((1,),))
    schema = schema_of(births.BROAD.groups)
    yield (
        "column: 255 channels, the last gid",
        replace(EMPTY, schema=schema, groups=(wide, last)),
        births.BROAD,
    )


def _one(values: tuple[int, ...]) -> Batch:
    times = tuple(3_600_000 + 10 * at for at in range(len(values)))
    schema = schema_of(births.ONE.groups)
    return replace(EMPTY, schema=schema, groups=(Rows(0, 10, times, (values,)),))


def _others() -> Iterator[tuple[str, Message]]:
    yield "birth", births.CITY
    yield "birth of one channel", births.ONE
    yield "birth of 256 channels", births.BROAD
    site = {
        "name": "Rue de l'Église 4",
        "position": [48.8584, 2.2945, 35],
        "datasets": {"air": "urn:ngsi-ld:AirQualityObserved:1", "on": True, "until": None},
        "depth": -1.5,
    }
    purpose = {"purpose": "air quality", "contact": "city@example.org"}
    yield "about", About(NODE, site, purpose, "edgenode 0.1.0", "Raspberry Pi Zero 2 W")
    yield "about with nothing to say", About(NODE, {})
    record = '{"node":"02004c4f5801","verdict":"PASS","version":1}'
    yield "about of a commissioned node", About(NODE, {}, commission=record)
    yield "state online", State(NODE, SPOOL, online=True, epoch=3, connect_ms=12_345)
    yield "state offline", State(NODE, SPOOL, online=False, epoch=3, connect_ms=0)
    yield "ack of nothing", Ack(NODE, SPOOL, {})
    ranges = {0: ((1, 4), (5, 5), (9, 2**53 - 1)), 1: ((7, 7),), 15: ((1, 1),)}
    yield "ack of ranges", Ack(NODE, SPOOL, ranges)
    yield (
        "ack that asks",
        Ack(
            NODE,
            SPOOL,
            {0: ((1, 4),)},
            ((0, 5, 8), (1, 2, 2)),
            1_795_000_000_000,
            (SCHEMA, b"12345678"),
        ),
    )
