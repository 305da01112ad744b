"""The account of the real daemons: what their sensors said against the table of the city."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from edgenode.cityos.audit import audit
from edgenode.cityos.sink import ReadingRow, Sink
from edgenode.demo.evidence import OK, Said, read_truth
from edgenode.fleet.sensors import PLAYED, decimals
from edgenode.virtual.series import load

NEAR_MS: Final = 3_000  # between the slot of a read and its answer, on a busy machine
ROUNDING: Final = 1e-6  # relative to a value: a register holds a float of 32 bits


class Proof(NamedTuple):
    """How the readings of the real daemons came out."""

    said: int  # readings that virtual sensors gave
    matched: int  # rows of the city with the value that was said
    received: int
    numberless: int  # rows that say why there is no number, such as an answer that came too late
    late_ms: tuple[int, ...]  # of each node: the median from a batch's last reading to its arrival
    problems: tuple[str, ...]


def prove(sink: Sink, nodes: Sequence[bytes], truth: Path) -> Proof:
    """Join what was said with what is held, and let the audit account for each ordinal."""
    said = defaultdict[str, dict[str, list[Said]]](lambda: defaultdict(list))
    for line in read_truth(truth):
        if line.fate == OK:
            said[line.channel.partition("-")[0]][line.channel].append(line)
    parts = [_node(sink, node, said[f"r{n}"]) for n, node in enumerate(nodes)]
    return Proof(
        *(sum(getattr(one, name) for one in parts) for name in Proof._fields[:4]),
        *(tuple(x for one in parts for x in getattr(one, name)) for name in Proof._fields[4:]),
    )


def _node(sink: Sink, node: bytes, said: dict[str, list[Said]]) -> Proof:
    rows = defaultdict[str, list[ReadingRow]](list)
    for row in sink.readings(node):
        rows[row.channel].append(row)
    problems, matched, numberless = list[str](), 0, 0
    for channel in sorted(said.keys() | rows.keys()):
        mute = sum(row.value is None for row in rows[channel])
        told = [row for row in rows[channel] if row.value is not None]
        found, wrong = follow(said[channel], told, _step(channel))
        matched, numberless = matched + found, numberless + mute
        unheard = len(said[channel]) - found
        if unheard > 1 + 2 * mute:  # opening a part reads it once; a lost answer, and once more
            wrong.append(f"{channel}: {unheard} readings were said and never arrived")
        problems += [f"{node.hex()}: {problem}" for problem in wrong]
    told_by = audit(sink, node)
    problems += [
        f"{node.hex()}: stream {stream.stream} has gaps, repeats or faulty batches"
        for stream in told_by.streams
        if stream.unexplained or stream.repeated or stream.faulty
    ]
    return Proof(
        sum(map(len, said.values())),
        matched,
        sum(map(len, rows.values())),
        numberless,
        () if told_by.latency is None else (told_by.latency.median,),
        tuple(problems),
    )


def follow(said: Sequence[Said], rows: Sequence[ReadingRow], step: float) -> tuple[int, list[str]]:
    """Find each row of a channel among what was said, both in the order of time.

    Returns how many were found, and a sentence for each that was not.
    """
    found, at, problems = 0, 0, list[str]()
    for row in sorted(rows, key=lambda row: (row.epoch, row.mono)):
        near = (
            place
            for place in range(at, len(said))
            if abs(said[place].t_ms - row.mono) <= NEAR_MS and _same(said[place].value, row, step)
        )
        place = next(near, None)
        if place is None:
            problems.append(f"{row.channel} at {row.mono} ms: {row.value}: no sensor said this")
        else:
            found, at = found + 1, place + 1
    return found, problems


def _same(value: float, row: ReadingRow, step: float) -> bool:
    """Whether a row has the value that was said, rounded to its resolution."""
    if row.value is None:
        return False
    return abs(row.value - value) <= step / 2 + abs(value) * ROUNDING


def _step(channel: str) -> float:
    """Return the resolution of a channel, SENSOR/QUANTITY_N."""
    quantity = channel.rpartition("/")[2].rpartition("_")[0]
    return max(10.0 ** -decimals(load(series)) for series, name, _ in PLAYED if name == quantity)
