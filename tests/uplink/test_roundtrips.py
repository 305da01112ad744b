"""Small messages to a broker, one after another: how long each takes, and what is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from edgenode.clock import SystemClock
from edgenode.uplink import UplinkOptions, roundtrips
from edgenode.uplink.roundtrips import RoundTrips, round_trips
from tests.support.mosquitto import Mosquitto
from tests.support.outbox import NODE
from tests.support.ports import free_port
from tests.support.proxy import Instead, Proxy
from tests.uplink.rig import plain

PUBLISH = 0x30  # the high half of the first byte (MQTT 5, section 2.1.2)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as made:
        yield made


def tried(port: int, count: int, stop: threading.Event | None = None) -> RoundTrips:
    [broker] = plain(port)
    options = UplinkOptions(node=NODE, brokers=(broker,))
    return round_trips(options, broker, SystemClock(), stop or threading.Event(), count)


def test_each_message_is_timed_by_itself(broker: Mosquitto) -> None:
    with Proxy(broker.port) as proxy:
        proxy.delay_s = 0.02
        found = tried(proxy.port, 4)
    assert (found.sent, len(found.acks_ms), found.repeated) == (4, 4, 0)
    assert all(took >= 20 for took in found.acks_ms)
    assert found.connect_ms is not None
    assert found.connect_ms >= 20


def test_nothing_of_it_is_retained(broker: Mosquitto) -> None:
    tried(broker.port, 2)
    log = broker.log.read_text(encoding="utf-8")
    assert f"Received PUBLISH from {NODE.hex()}-trial (d0, q1, r0" in log
    assert f"Received PUBLISH from {NODE.hex()}-trial (d0, q1, r1" not in log


def test_what_is_not_acknowledged_in_time_is_lost(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roundtrips, "ACK_MS", 150)
    swallowed = []

    def swallow_the_second(data: bytes) -> Instead | None:
        if data[0] & 0xF0 != PUBLISH:
            return None
        swallowed.append(data)
        return Instead(close=False) if len(swallowed) == 2 else None

    with Proxy(broker.port) as proxy:
        proxy.meddle = swallow_the_second
        found = tried(proxy.port, 3)
    assert (found.sent, len(found.acks_ms)) == (3, 2)


def test_a_connection_that_breaks_ends_it_with_what_there_was(broker: Mosquitto) -> None:
    with Proxy(broker.port) as proxy:
        proxy.meddle = lambda data: Instead() if data[0] & 0xF0 == PUBLISH else None
        found = tried(proxy.port, 5)
    assert found.connect_ms is not None
    assert (found.sent, found.acks_ms) == (1, ())


def test_where_nobody_listens_there_is_no_session() -> None:
    assert tried(free_port(), 3) == RoundTrips(None)


def test_a_stop_ends_it_before_it_begins(broker: Mosquitto) -> None:
    stop = threading.Event()
    stop.set()
    assert tried(broker.port, 3, stop) == RoundTrips(None)
