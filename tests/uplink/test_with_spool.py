"""The uplink with a real spool behind it: no reading is lost or stored twice on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.wire import Batch, expand, readings_in
from tests.support.city import City
from tests.support.mosquitto import Mosquitto
from tests.support.ports import until
from tests.support.proxy import Proxy
from tests.support.running import Running
from tests.uplink.rig import Node, plain


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path / "spool")
    made.start()
    yield made
    made.stop()


def _readings(city: City, spool: bytes) -> int:
    """Return how many readings arrived in one piece from the first; each is counted once."""
    batches: dict[int, Batch] = {}
    for batch in list(city.batches):
        if batch.spool == spool and batch.stream == 0:
            batches.setdefault(batch.seq, batch)
    ordinal = 0
    for _, batch in sorted(batches.items()):
        if batch.r0 != ordinal:
            break
        assert batch.losses == ()
        ordinal += readings_in(expand(batch, city.births[batch.schema]))
    return ordinal


def test_every_reading_arrives_through_resets_a_dead_broker_and_silence(
    running: Running, tmp_path: Path
) -> None:
    spool = running.spool
    with (
        Mosquitto(tmp_path / "broker") as broker,
        City(broker.port) as city,
        Proxy(broker.port) as proxy,
        Node(plain(proxy.port), spool.outbox, puback_ms=700) as node,  # type: ignore[arg-type]
    ):
        city.asking = True  # for what the broker acknowledged and took with it
        running.append(50, 0.01)
        proxy.cut(reset=True)
        running.append(50, 0.01)
        proxy.blackhole = True
        running.append(100, 0.01)
        proxy.blackhole = False
        proxy.cut()
        running.append(30, 0.01)
        broker.kill()
        running.append(50, 0.01)
        broker.start()
        running.append(50, 0.01)
        want = 2 * running.appended
        until(lambda: _readings(city, spool.id) == want, "all readings", 30)
        until(lambda: spool.outbox.unconfirmed() == 0, f"acks: {node.uplink.stats()}", 30)
        assert spool.stats().evicted_readings == 0
