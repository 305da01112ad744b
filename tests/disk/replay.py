"""What a power cut leaves of a disk whose cache is volatile, worked out from its log.

What was written before the last flush is there. Each later write is there whole, torn at
512-byte sectors, or not at all, whatever became of the others.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.disk.forgetful import FLUSH, MARK, RECORD, WRITE

SECTOR = 512
KEPT = (0.0, 0.1, 0.5, 0.9, 1.0)  # how much of the cache a cut leaves, from one cut to the next
TORN = 0.2


class Record(NamedTuple):
    """One thing that happened to the disk, or one piece of the workload's marks."""

    kind: bytes
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A power cut before record `at`, and the lines that had been marked by then."""

    at: int
    seed: int
    marks: tuple[bytes, ...]


def read_log(path: Path) -> list[Record]:
    """Read a whole log of forgetful.py."""
    raw, at, records = path.read_bytes(), 0, []
    while at < len(raw):
        kind, offset, length = RECORD.unpack_from(raw, at)
        at += RECORD.size
        records.append(Record(kind, offset, raw[at : at + length]))
        at += length
    return records


def cuts(records: Sequence[Record], positions: Sequence[int], seed: int) -> list[Cut]:
    """Return a cut for each position, in order, with what the workload had said by then."""
    text, seen, found = bytearray(), 0, []
    for at in sorted(positions):
        text += b"".join(record.data for record in records[seen:at] if record.kind == MARK)
        seen = at
        whole = bytes(text[: text.rfind(b"\n") + 1])
        found.append(Cut(at, seed * 1_000_003 + at, tuple(whole.splitlines())))
    return found


def images(base: Path, records: Sequence[Record], cuts: Sequence[Cut], into: Path) -> Iterator[Cut]:
    """Write the image that each cut leaves into one file, again and again; yields the cut."""
    disk, done = bytearray(base.read_bytes()), 0
    for cut in cuts:
        flushed = max((at for at in range(done, cut.at) if records[at].kind == FLUSH), default=done)
        for record in records[done:flushed]:
            _apply(disk, record)
        done = flushed
        image = bytearray(disk)
        _gamble(image, records[done : cut.at], random.Random(cut.seed))
        into.write_bytes(image)
        yield cut


def _apply(disk: bytearray, record: Record) -> None:
    if record.kind == WRITE:
        disk[record.offset : record.offset + len(record.data)] = record.data


def _gamble(disk: bytearray, cached: Sequence[Record], rng: random.Random) -> None:
    """Let each write that no flush covers reach the disk, or not, or in part."""
    kept = rng.choice(KEPT)
    for record in cached:
        if rng.random() >= kept:
            continue
        if rng.random() >= TORN:
            _apply(disk, record)
            continue
        for at in range(0, len(record.data), SECTOR):
            if rng.random() < 0.5:
                sector = record.data[at : at + SECTOR]
                _apply(disk, Record(WRITE, record.offset + at, sector))
