"""Check the numbering: nothing twice, nothing skipped without a loss record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from edgenode.demo.evidence import Evidence, Lost, Numbered

FIRST = 0  # the ordinal of the first reading of a stream


def numbering(evidence: Evidence) -> Iterator[str]:
    """Yield every fault in seqs and ordinals, and every reading that is there twice."""
    streams: dict[tuple[bytes, int], list[Numbered]] = defaultdict(list)
    rows = (Numbered(row.spool, row.stream, row.seq, row.ordinal) for row in evidence.rows)
    for number in (*rows, *evidence.events):
        streams[number.spool, number.stream].append(number)
    for (spool, stream), numbers in sorted(streams.items()):
        lost = [loss for loss in evidence.losses if (loss.spool, loss.stream) == (spool, stream)]
        yield from _stream(f"stream {stream} of spool {spool.hex()}", numbers, lost)
    yield from _twice(evidence)


def _stream(name: str, numbers: list[Numbered], lost: list[Lost]) -> Iterator[str]:
    seqs: dict[int, int] = {}  # ordinal -> seq
    for number in sorted(numbers, key=lambda n: (n.ordinal, n.seq)):
        if number.ordinal in seqs:
            other = seqs[number.ordinal]
            yield f"{name}: ordinal {number.ordinal} is in seq {other} and in seq {number.seq}"
        seqs[number.ordinal] = number.seq
    gone = {loss.ordinal + n for loss in lost for n in range(loss.readings)}
    holes = [n for n in range(FIRST, max(seqs, default=FIRST)) if n not in seqs and n not in gone]
    if holes:
        yield f"{name}: {len(holes)} ordinals from {holes[0]} are missing without a loss record"


def _twice(evidence: Evidence) -> Iterator[str]:
    seen: dict[tuple[str, int], int] = {}
    for row in evidence.rows:
        key = (row.channel, row.mono)
        if key in seen:
            yield f"{row.channel} at {row.mono} ms is in seq {seen[key]} and in seq {row.seq}"
        seen[key] = row.seq
