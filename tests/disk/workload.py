"""A node at work on a disk that forgets: appends, commits, sends, is acked, and says so.

`python -m tests.disk.workload DIRECTORY MARKS LIFE TICKS FAULT` runs a real spool for TICKS
seconds of a clock in hand and leaves without a word, as after a power cut. Every value it
appends is one of its own, so that each can be found again. What it writes to MARKS, at the
moment from which it must hold:

    O                        the spool is open
    C value total            a commit has finished: all up to `value` is covered, and the total
    S stream seq hex         this batch has left the node
    A stream seq             the city has acked it

FAULT is "none", "nosync" (nothing is ever flushed) or "normal" (the store flushes only at
checkpoints): with the last two, a power cut must lose what was promised.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgenode.reading import Channel, Event, EventCode, Group, Sample
from edgenode.spool import Spool, SpoolOptions
from edgenode.wire import Ack
from tests.support.clock import FakeClock

NODE = bytes(range(8))
GROUPS = {
    1: Group(1, (Channel("a/one", "count"),)),
    2: Group(2, (Channel("b/first", "count"), Channel("b/second", "count"))),
}
TOTAL = "a/total"
LIFE_VALUES = 1_000_000  # values of one life begin at a multiple of it
LIFE_UTC_MS = 86_400_000
SESSION_TICKS = 150


def options(directory: Path) -> SpoolOptions:
    """Options as on a node, but for the size: the disk is a small one."""
    return SpoolOptions(directory / "spool", cap_bytes=2 << 20, offline_window_ms=120_000)


def clock_of(life: int) -> FakeClock:
    """Give the clock of the life-th boot, a day after the one before."""
    clock = FakeClock(boot_ms=5_000, utc_ms=1_795_000_000_000 + life * LIFE_UTC_MS)
    clock.boots = life
    return clock


def values(first: int) -> Iterator[int]:
    """Count from `first` upwards."""
    while True:
        yield first
        first += 1


class Uplink:
    """The other users of the outbox: a broker that loses a tenth, a city that acks the rest."""

    def __init__(self, spool: Spool, marks: int, rng: random.Random) -> None:
        self._outbox, self._marks, self._rng = spool.outbox, marks, rng
        self._received: dict[int, set[int]] = {}
        self._online = False

    def tick(self, number: int) -> None:
        """Connect, drop, send and be acked, as the number of the tick says."""
        if number % SESSION_TICKS == 1:
            self._outbox.begin_session()
            self._online = True
        if number % SESSION_TICKS == SESSION_TICKS * 4 // 5:
            self._outbox.end_session()
            self._online = False
        if self._online:
            self._send()
            if number % 10 == 0:
                self._ack()

    def _send(self) -> None:
        for live in (True, False):
            for sealed in self._outbox.take(live, 3):
                mark(self._marks, f"S {sealed.stream} {sealed.seq} {sealed.data.hex()}")
                self._outbox.broker_acked(sealed.stream, sealed.seq)
                if self._rng.random() < 0.9:
                    self._received.setdefault(sealed.stream, set()).add(sealed.seq)

    def _ack(self) -> None:
        for stream, seqs in self._received.items():
            for seq in seqs:
                mark(self._marks, f"A {stream} {seq}")
        self._outbox.city_acked(ack_for(self._outbox.spool, self._received))


def ack_for(spool: bytes, received: dict[int, set[int]]) -> Ack:
    """Build the whole ack of a city that holds these seqs of each stream."""
    ranges: dict[int, tuple[tuple[int, int], ...]] = {}
    for stream, seqs in received.items():
        runs: list[tuple[int, int]] = []
        for seq in sorted(seqs):
            if runs and runs[-1][1] == seq - 1:
                runs[-1] = (runs[-1][0], seq)
            else:
                runs.append((seq, seq))
        ranges[stream] = tuple(runs)
    return Ack(NODE, spool, ranges)


def mark(marks: int, line: str) -> None:
    """Say that something holds from now on."""
    os.write(marks, line.encode() + b"\n")


def live(spool: Spool, clock: FakeClock, marks: int, life: int, ticks: int) -> None:
    """Sample each second, step the spool, and let the uplink do its part."""
    uplink, numbers = Uplink(spool, marks, random.Random(life)), values(life * LIFE_VALUES + 1)
    due = 0
    for number in range(ticks):
        clock.advance(1_000)
        latest = append(spool, clock, number, numbers)
        commits = spool.stats().commits
        if clock.boot_ms() >= due or number % 97 == 0:
            due = spool.step()
        if spool.stats().commits > commits:
            mark(marks, f"C {latest} {latest}")
        uplink.tick(number)


def append(spool: Spool, clock: FakeClock, number: int, numbers: Iterator[int]) -> int:
    """Append what one second brings; return the highest value used."""
    now, latest = clock.boot_ms(), next(numbers)
    spool.append(1, now, Sample((float(latest),)))
    if number % 3 == 0:
        first, latest = next(numbers), next(numbers)
        spool.append(2, now, Sample((float(first), float(latest))))
    if number % 40 == 17:
        latest = next(numbers)
        spool.event(now, 1, Event(EventCode.STATE_CHANGED, 0, float(latest)))
    if number % 130 == 60:
        latest = next(numbers)
        spool.event(now, 1, Event(EventCode.LIMIT_EXCEEDED, 0, float(latest)))
    spool.set_total(TOTAL, latest, now)
    return latest


def bend(fault: str) -> None:
    """Make the controls: switch off what the spool relies on."""
    if fault == "none":
        return
    level = {"nosync": "OFF", "normal": "NORMAL"}[fault]

    class Bent(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            return super().execute(
                sql.replace("synchronous=FULL", f"synchronous={level}"), *parameters
            )

        def executescript(self, sql_script: str) -> sqlite3.Cursor:
            return super().executescript(
                sql_script.replace("synchronous=FULL", f"synchronous={level}")
            )

    connect = sqlite3.connect
    sqlite3.connect = lambda *args, **kwargs: connect(*args, **kwargs, factory=Bent)  # type: ignore[assignment]
    if fault == "nosync":
        for name in ("fsync", "fdatasync"):
            setattr(os, name, lambda _: None)


def main() -> None:
    directory, marks_path, life, ticks, fault = sys.argv[1:]
    bend(fault)
    marks = os.open(marks_path, os.O_WRONLY)
    clock = clock_of(int(life))
    spool = Spool.open(options(Path(directory)), NODE, GROUPS, clock)
    mark(marks, "O")
    live(spool, clock, marks, int(life), int(ticks))
    os._exit(0)


if __name__ == "__main__":
    main()
