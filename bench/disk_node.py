"""A node that samples in real time, for bench.disk: 20 channels, once a second, acked at once.

`python -m bench.disk_node DIRECTORY COMMIT_MS WINDOW_MS` prints a line when it is at work, then
answers each line on its standard input with its counts as JSON, and ends when that is closed.
"""

from __future__ import annotations

import json
import os
import random
import select
import sys
import threading
import time
from pathlib import Path

from edgenode.clock import SystemClock
from edgenode.reading import Channel, Group, Sample
from edgenode.spool import Spool, SpoolOptions
from edgenode.wire import Ack

NODE = bytes(8)
SENSORS, CHANNELS = 5, 4
GROUPS = {
    gid: Group(gid, tuple(Channel(f"s{gid}/c{n}", "Cel", scale=-2) for n in range(CHANNELS)))
    for gid in range(1, SENSORS + 1)
}
CAP_BYTES = 8 << 20
PERIOD_MS = 1_000


class City:
    """Takes and acks whatever can be sent."""

    def __init__(self, spool: Spool) -> None:
        self._outbox = spool.outbox
        self._newest: dict[int, int] = {}
        self._outbox.begin_session()

    def serve(self) -> None:
        taken = [*self._outbox.take(True, 20), *self._outbox.take(False, 20)]
        for sealed in taken:
            self._outbox.broker_acked(sealed.stream, sealed.seq)
            self._newest[sealed.stream] = max(sealed.seq, self._newest.get(sealed.stream, 0))
        if taken:
            ranges = {stream: ((1, seq),) for stream, seq in self._newest.items()}
            self._outbox.city_acked(Ack(NODE, self._outbox.spool, ranges))


def wait_until_grown(spool: Spool) -> None:
    """Wait while the store is written to its full size, which happens once in a card's life."""
    database = spool._core.store.database
    while not database.grown or database._pads:
        time.sleep(0.1)


def main() -> None:
    directory, commit_ms, window_ms = sys.argv[1:]
    options = SpoolOptions(
        Path(directory) / "spool",
        cap_bytes=CAP_BYTES,
        commit_interval_ms=int(commit_ms),
        window_ms=int(window_ms),
    )
    clock, stop = SystemClock(), threading.Event()
    spool = Spool.open(options, NODE, GROUPS, clock)
    threading.Thread(target=spool.run, args=(stop,), name="spool", daemon=True).start()
    city, rng = City(spool), random.Random(int(commit_ms))
    levels = [20.0] * (SENSORS * CHANNELS)
    wait_until_grown(spool)
    due = clock.boot_ms()
    print("at work", flush=True)
    while True:
        wait_s = max(0, due - clock.boot_ms()) / 1000
        if select.select([sys.stdin], [], [], wait_s)[0]:
            if not sys.stdin.readline():
                os._exit(0)
            stats = spool.stats()
            counts = {"commits": stats.commits, "seals": stats.seals, "readings": stats.readings}
            print(json.dumps(counts), flush=True)
        if clock.boot_ms() >= due:
            levels = [level + rng.gauss(0, 0.02) for level in levels]
            for gid in GROUPS:
                first = (gid - 1) * CHANNELS
                spool.append(gid, due, Sample(tuple(levels[first : first + CHANNELS])))
            due += PERIOD_MS
            city.serve()


if __name__ == "__main__":
    main()
