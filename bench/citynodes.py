"""How long the sink is asked for `edgenode cityos nodes`, in SQLite and in PostgreSQL."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.intake import Incoming
from edgenode.cityos.operate.nodes import fleet
from edgenode.cityos.sink import Sink
from edgenode.reading import EventCode
from edgenode.wire import WireEvent
from tests.support.operated import T0, Fielded
from tests.support.postgres import Postgres

NODES = 1_000
SPOOLS = (b"spool--1", b"spool--2")
ROUNDS = 5  # of each spool: telemetry, health and events
EVENTS = 12  # in a batch
TOGETHER = 20  # nodes whose messages are stored in one transaction
TIMES = 5  # the fleet is asked for so often, and the median told
AIR = 7 * 256 + 255  # the whole sensor


def measure() -> dict[str, float]:
    """Ask for 1,000 nodes of 2 spools each, with 120,000 events in all; in seconds."""
    with tempfile.TemporaryDirectory() as folder, Sink.open(Path(folder) / "city.db") as sink:
        figures = {"city_nodes_s": _measure(sink)}
    with Postgres() as server, Sink.open(server.url(server.database())) as sink:
        figures["city_postgresql_nodes_s"] = _measure(sink)
    return figures


def _measure(sink: Sink) -> float:
    fill(sink)
    return median(_once(sink) for _ in range(TIMES))


def _once(sink: Sink) -> float:
    started = time.perf_counter()
    fleet(sink, T0 + 3_600_000)
    return time.perf_counter() - started


def fill(sink: Sink) -> None:
    """Store and derive what the nodes told."""
    city = City(sink, CityOptions())
    for first in range(0, NODES, TOGETHER):
        names = [f"{number:012x}" for number in range(first, first + TOGETHER)]
        city.absorb([x for name in names for spool in SPOOLS for x in _told(name, spool)], 0)
        while city.derive():
            pass


def _told(name: str, spool: bytes) -> Iterator[Incoming]:
    node = Fielded(name, spool)
    start = SPOOLS.index(spool) * 1_000_000
    yield node.birth()
    yield node.about(f"Place {name}")
    yield node.state(start, start, online=True)
    for t in range(start + 1_000, start + 1_000 + ROUNDS * 60_000, 60_000):
        times = range(t, t + 60_000, 10_000)
        yield node.batch(times, [[n % 90 for n in times]] * 2)
        yield node.health(t, 2, 4_000, 90)
        yield node.tell(*(_event(t + n, n) for n in range(EVENTS)))


def _event(t: int, n: int) -> WireEvent:
    code = EventCode.SENSOR_FOUND if n % 2 else EventCode.SENSOR_LOST
    return WireEvent(t, AIR, code, None if n % 2 else 1)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
