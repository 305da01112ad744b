"""The account of the real daemons: what their sensors said against the table of the city."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from edgenode.cityos.audit import audit
from edgenode.cityos.sink import Sink
from edgenode.demo.evidence import Evidence, Row, Said, read_truth
from edgenode.demo.gauges import join
from edgenode.fleet.real import STAMP_MS
from edgenode.fleet.sensors import PLAYED, decimals
from edgenode.virtual.series import load

SPARE_MS: Final = 100  # of a period: a read may take the rest of it, on a busy machine


class Proof(NamedTuple):
    """How the readings of the real daemons came out."""

    said: int  # readings that virtual sensors gave
    matched: int  # rows of the city with the value that was said
    received: int
    numberless: int  # rows that say why there is no number, such as the first of a sensor
    late_ms: tuple[int, ...]  # of each node: the median from a batch's last reading to its arrival
    problems: tuple[str, ...]


def prove(sink: Sink, nodes: Sequence[bytes], truth: Path, every_ms: int) -> Proof:
    """Join what was said with what is held, and let the audit account for each ordinal."""
    said = defaultdict[str, list[Said]](list)
    for line in read_truth(truth):
        said[line.channel.partition("-")[0]].append(line)
    parts = []
    for n, node in enumerate(nodes):
        parts.append(_node(sink, node, said[f"r{n}"], every_ms - SPARE_MS))
    return Proof(
        *(sum(getattr(one, name) for one in parts) for name in Proof._fields[:4]),
        *(tuple(x for one in parts for x in getattr(one, name)) for name in Proof._fields[4:]),
    )


def _step(channel: str) -> float:
    """Return the resolution of a channel, SENSOR/QUANTITY_N."""
    quantity = channel.rpartition("/")[2].rpartition("_")[0]
    return max(10.0 ** -decimals(load(series)) for series, name, _ in PLAYED if name == quantity)


def _node(sink: Sink, node: bytes, said: list[Said], late_ms: int) -> Proof:
    rows = [
        Row(r.spool, r.stream, r.seq, r.ordinal, r.channel, r.mono, r.value, r.quality)
        for r in sink.readings(node)
    ]
    channels = {line.channel for line in said} | {row.channel for row in rows}
    joined = join(
        Evidence(
            said=said,
            rows=rows,
            events=(),
            losses=(),
            kills=(),
            grace_ms=0,
            tolerance_ms=0,
            early_ms=STAMP_MS,
            late_ms=late_ms,
            steps={name: _step(name) for name in channels},
            proved=frozenset(channels),  # a part without an identity is proved by a read
            periods=dict.fromkeys(channels, late_ms + SPARE_MS),
        )
    )
    name = node.hex()
    problems = [f"{name}: {problem}" for problem in joined.problems]
    problems += [
        f"{name}: {one.channel} said {one.value} at {one.t_ms} ms, and it never arrived"
        for one in joined.missing
    ]
    told = audit(sink, node)
    for stream in told.streams:
        if stream.unexplained or stream.repeated or stream.faulty:
            problems.append(f"{name}: stream {stream.stream} has gaps, repeats or faulty batches")
    late = () if told.latency is None else (told.latency.median,)
    numberless = joined.doubted + joined.unanswered
    return Proof(len(said), joined.matched, len(rows), numberless, late, tuple(problems))
