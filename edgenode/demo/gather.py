"""Gather the evidence of a run: the log of truth, and the tables of the receiver."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from edgenode.cityos.audit import audit
from edgenode.cityos.schema import Work
from edgenode.cityos.sink import Sink
from edgenode.config import load
from edgenode.demo.evidence import Evidence, Happened, Lost, Numbered, Row, Said, read_truth
from edgenode.demo.roles import Roles, roles
from edgenode.demo.stage import COMMIT_MS, FLUSH_MS, LATE_MS, NODE, STAMP_MS, TOLERANCE_MS, Stage
from edgenode.demo.street import LAMP, VEHICLE_MS
from edgenode.node import sensors
from edgenode.wire import LossReason

DERIVE_S = 10.0  # how long the receiver may take to unfold what it has stored


class Received(NamedTuple):
    """What the receiver counts beyond rows."""

    duplicates: int  # messages that came again, and were dropped
    conflicts: int
    batches: int
    batch_bytes: int


def wait_unfolded(stage: Stage) -> None:
    """Wait until every batch that the receiver holds has become rows."""
    deadline = time.monotonic() + DERIVE_S
    with Sink.open(stage.city, readonly=True) as sink:
        query = "SELECT count(*) FROM raw WHERE work NOT IN (?, ?)"
        while time.monotonic() < deadline:
            if sink.db.execute(query, (Work.DONE, Work.FAULTY)).fetchone()[0] == 0:
                return
            time.sleep(0.05)


def gather(stage: Stage, kills: Sequence[int]) -> Evidence:
    """Return the evidence; raises CityError where there is no sink."""
    node = bytes.fromhex(NODE)
    config = load(stage.config)
    known = sensors.groups(config).values()
    judged = roles(config, known)
    with Sink.open(stage.city, readonly=True) as sink:
        rows = [
            Row(r.spool, r.stream, r.seq, r.ordinal, r.channel, r.mono, r.value, r.quality)
            for r in sink.readings(node)
        ]
        events = list(sink.events(node))
        losses = list(_losses(sink, node))
    return Evidence(
        said=list(_said_as(judged, read_truth(stage.truth))),
        rows=rows,
        events=[Numbered(e.spool, e.stream, e.seq, e.ordinal) for e in events],
        losses=losses,
        kills=kills,
        grace_ms=COMMIT_MS + FLUSH_MS,
        tolerance_ms=TOLERANCE_MS,
        early_ms=STAMP_MS,
        late_ms=LATE_MS,
        steps={c.name: 10.0**c.scale for group in known for c in group.channels},
        counters=frozenset(judged.counters),
        derived=frozenset(judged.derived),
        streams=frozenset(judged.streams),
        states=frozenset(judged.states),
        proved=frozenset(judged.proved),
        computed=judged.computed,
        outputs=frozenset({f"{LAMP}/level"}),
        flows=judged.flows,
        flow_row_ms=VEHICLE_MS,
        periods=judged.periods,
        happened=[
            Happened(e.channel or "", e.code, e.mono, json.loads(e.value) if e.value else None)
            for e in events
        ],
    )


def newest(stage: Stage) -> dict[str, str]:
    """Return the newest number that the receiver holds of each channel, with its unit."""
    with Sink.open(stage.city, readonly=True) as sink:
        told = [r for r in sink.readings(bytes.fromhex(NODE)) if r.value is not None]
    told.sort(key=lambda r: r.mono)
    return {r.channel: f"{r.value:g} {r.unit}" for r in told}


def _losses(sink: Sink, node: bytes) -> Iterator[Lost]:
    query = "SELECT spool, stream, r0, readings, reason FROM loss WHERE node = ?"
    for spool, stream, r0, readings, reason in sink.db.execute(query, (node,)):
        yield Lost(spool, stream, r0, readings, _reason(reason))


def _said_as(judged: Roles, said: Iterable[Said]) -> Iterator[Said]:
    """Yield what was said under the names of the channels that it is held against."""
    for line in said:
        for channel in judged.said_as.get(line.channel, [line.channel]):
            yield line._replace(channel=channel)


def received(stage: Stage) -> Received:
    """Return what the receiver counts."""
    with Sink.open(stage.city, readonly=True) as sink:
        counted = audit(sink, bytes.fromhex(NODE))
        query = "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM raw"
        batches, size = sink.db.execute(query).fetchone()
    return Received(counted.duplicates, counted.conflicts, batches, size)


def _reason(code: int) -> str:
    known = {reason.value: reason.name.lower().replace("_", " ") for reason in LossReason}
    return known.get(code, f"reason {code}")
