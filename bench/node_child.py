"""The whole daemon over one stand-in sensor, for bench.node.

`python -m bench.node_child STATE CHANNELS PORT CUSTODY CA` runs it until SIGTERM. Each line on its
standard input is answered with its CPU seconds, memory and what it has sent, as JSON.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

from edgenode.bus import Tree
from edgenode.clock import SystemClock
from edgenode.config import (
    BrokerTable,
    BusTable,
    ClockTable,
    Config,
    NodeTable,
    Sensor,
    SiteTable,
    SpoolTable,
    UplinkTable,
)
from edgenode.driver import Driver, Options, WireKind
from edgenode.node import Daemon, Notifier, Stop
from edgenode.node.report import Picture
from edgenode.reading import Channel, Sample

PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


def node_id(channels: int) -> str:
    """Return the id of the node with so many channels: two may run at the same broker."""
    return f"0badcafe{channels:04x}"


def stand_in(channels: int) -> Any:
    """Return a driver class whose read costs nothing: it hands out samples made beforehand.

    It asks for the wire that every machine has, and leaves it alone.
    """
    rng = random.Random(channels)
    levels = [20.0] * channels
    samples = []
    for _ in range(240):
        levels = [round(level + rng.gauss(0, 0.02), 2) for level in levels]
        samples.append(Sample(tuple(levels)))

    named = tuple(Channel(f"c{n}", "Cel", scale=-2) for n in range(channels))

    class StandIn(Driver):
        wire: ClassVar[WireKind] = "sysfs"
        model: ClassVar[str] = "stand-in"
        options: ClassVar[type[Options]] = Options
        channels: ClassVar[tuple[Channel, ...]] = named
        budget_s: ClassVar[float] = 0.1
        fastest_s: ClassVar[float] = 0.1

        def __init__(self, wire: Tree, options: Options) -> None:
            del options
            self._tree = wire
            self._turn = 0

        def read(self, now_ms: int) -> Sample:
            del now_ms
            self._turn += 1
            return samples[self._turn % len(samples)]

        def close(self) -> None:
            self._tree.close()

    return StandIn


def config(state: Path, channels: int, port: int, custody: str, ca: Path | None) -> Config:
    """Return a node with one sensor of `channels` channels at 1 Hz and one broker."""
    bus = BusTable(name="b", kind="sysfs", path="/")
    sensor = Sensor(
        name="s",
        driver=stand_in(channels),
        options=Options(),
        bus=bus,
        every_ms=1_000,
        stamp_ms=50,
        serial="",
    )
    broker = BrokerTable(host="127.0.0.1", port=port, tls=ca is not None, ca=ca)
    return Config(
        node=NodeTable(id=node_id(channels), state=state, socket=state / "control.sock"),
        site=SiteTable(name="bench"),
        clock=ClockTable(manual_err_ms=1_000),
        spool=SpoolTable(cap_mb=32),
        uplink=UplinkTable(
            broker=(broker,),
            custody=cast("Literal['city', 'broker']", custody),
            backlog_per_s=10_000,
        ),
        buses=(bus,),
        sensors=(sensor,),
    )


def main() -> None:
    """Run the daemon; answer on standard input."""
    state, channels, port, custody, ca = sys.argv[1:]
    where = Path(ca) if ca else None
    setup = config(Path(state), int(channels), int(port), custody, where)
    stop = Stop()
    stop.listen()
    path = Path(state) / "edgenode.toml"  # nobody asks for a reload
    daemon = Daemon(setup, path, SystemClock(1_000), Notifier(), stop)
    threading.Thread(target=_answer, args=(daemon, stop), daemon=True).start()
    os._exit(daemon.run())


def _answer(daemon: Daemon, stop: Stop) -> None:
    for _ in sys.stdin:
        picture: Picture = daemon._rooms.picture()
        uplink = picture.uplink
        resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        answer = {
            "cpu_s": time.process_time(),
            "rss_mb": resident * PAGE_MB,
            "readings": picture.spool.readings,
            "window": picture.spool.window_readings,
            "held": picture.spool.held_batches,
            "unconfirmed": picture.spool.unconfirmed_batches,
            "acked": uplink.acked if uplink else 0,
        }
        print(json.dumps(answer), flush=True)
    stop.set()


if __name__ == "__main__":
    main()
