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
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

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
from edgenode.node import Daemon, Notifier, Stop, parts
from edgenode.node.report import Picture
from edgenode.reading import Channel, Sample

PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


def node_id(channels: int) -> str:
    """Return the id of the node with so many channels: two may run at the same broker."""
    return f"0badcafe{channels:04x}"


def stand_in(channels: int) -> Any:
    """Return a driver class whose read costs nothing: it hands out samples made beforehand."""
    rng = random.Random(channels)
    levels = [20.0] * channels
    made = []
    for _ in range(240):
        levels = [round(level + rng.gauss(0, 0.02), 2) for level in levels]
        made.append(Sample(tuple(levels)))

    class StandIn:
        wire: ClassVar[WireKind] = "i2c"
        model: ClassVar[str] = "stand-in"
        options: ClassVar[type[Options]] = Options
        channels: ClassVar[tuple[Channel, ...]]
        since_open: ClassVar[frozenset[str]] = frozenset()
        budget_s: ClassVar[float] = 0.1
        settle_s: ClassVar[float] = 0.0

        def __init__(self) -> None:
            self._turn = 0

        def read(self, now_ms: int) -> Sample:
            del now_ms
            self._turn += 1
            return made[self._turn % len(made)]

        def close(self) -> None:
            """Nothing is held."""

    StandIn.channels = tuple(Channel(f"c{n}", "Cel", scale=-2) for n in range(channels))
    return StandIn


def config(state: Path, channels: int, port: int, custody: str, ca: Path | None) -> Config:
    """Return a node with one sensor of `channels` channels at 1 Hz and one broker."""
    bus = BusTable(name="b", kind="i2c", path="none")
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
    made = setup.sensors[0].driver

    def opener(*_: object) -> Callable[[], Driver]:
        return lambda: cast("Driver", made())

    setattr(parts, "opener", opener)  # noqa: B010 - no wire lies under this sensor
    daemon = Daemon(setup, SystemClock(1_000), Notifier())
    stop = Stop()
    stop.listen()
    threading.Thread(target=_answer, args=(daemon, stop), daemon=True).start()
    os._exit(daemon.run(stop))


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
