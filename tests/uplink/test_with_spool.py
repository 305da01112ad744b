"""The uplink with a real spool behind it: no reading is lost or stored twice on the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.reading import Channel, Group, Sample
from edgenode.spool import Spool, SpoolOptions
from edgenode.wire import Batch, expand, readings_in
from tests.support.city import City
from tests.support.mosquitto import Mosquitto
from tests.support.outbox import NODE
from tests.support.ports import until
from tests.support.proxy import Proxy
from tests.uplink.rig import Node, plain

GROUPS = {1: Group(1, (Channel("air/temperature", "Cel", -2), Channel("air/humidity", "%RH", -1)))}


class Running:
    """A spool with its thread."""

    def __init__(self, directory: Path) -> None:
        self.clock = SystemClock()
        options = SpoolOptions(
            directory, cap_bytes=8 << 20, commit_interval_ms=50, window_ms=200,
            offline_window_ms=200, pregrow=False,
        )  # fmt: skip
        self.spool = Spool.open(options, NODE, GROUPS, self.clock)
        self.appended = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.spool.run, args=(self._stop,), name="spool")
        self._thread.start()

    def append(self, count: int, every_s: float) -> None:
        for _ in range(count):
            self.spool.append(1, self.clock.boot_ms(), Sample((20.0 + self.appended % 7, 50.0)))
            self.appended += 1
            time.sleep(every_s)

    def stop(self) -> None:
        self._stop.set()
        self.spool.wake()
        self._thread.join(10)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path / "spool")
    yield made
    made.stop()
    made.spool.close()


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
