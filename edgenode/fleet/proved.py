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

SPARE_MS: Final = 100  # of a period: a read may take the rest of it, on a busy machine
STEPS: Final = {"temperature": 0.01, "humidity": 0.1, "pressure": 1.0}


class Proof(NamedTuple):
    """How the readings of the real daemons came out."""

    said: int  # readings that virtual sensors gave
    matched: int  # rows of the city with the value that was said
    received: int
    problems: tuple[str, ...]


def prove(sink: Sink, nodes: Sequence[bytes], truth: Path, every_ms: int) -> Proof:
    """Join what was said with what is held, and let the audit account for each ordinal."""
    said = defaultdict[str, list[Said]](list)
    for line in read_truth(truth):
        said[line.channel.partition("-")[0]].append(line)
    total = Proof(0, 0, 0, ())
    for n, node in enumerate(nodes):
        one = _node(sink, node, said[f"r{n}"], every_ms - SPARE_MS)
        total = Proof(
            total.said + one.said,
            total.matched + one.matched,
            total.received + one.received,
            (*total.problems, *one.problems),
        )
    return total


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
            steps={name: STEPS[name.rpartition("/")[2]] for name in channels},
        )
    )
    name = node.hex()
    problems = [f"{name}: {problem}" for problem in joined.problems]
    problems += [
        f"{name}: {one.channel} said {one.value} at {one.t_ms} ms, and it never arrived"
        for one in joined.missing
    ]
    for stream in audit(sink, node).streams:
        if stream.unexplained or stream.repeated or stream.faulty:
            problems.append(f"{name}: stream {stream.stream} has gaps, repeats or faulty batches")
    return Proof(len(said), joined.matched, len(rows), tuple(problems))
