"""The uplink over links that break: resets, silence, slowness, a second broker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.city import City
from tests.support.mosquitto import Mosquitto
from tests.support.outbox import SPOOL
from tests.support.ports import until
from tests.support.proxy import Instead, Proxy
from tests.uplink.rig import Node, plain


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


def test_a_reset_connection_costs_nothing(broker: Mosquitto) -> None:
    with City(broker.port) as city, Proxy(broker.port) as proxy, Node(plain(proxy.port)) as node:
        for _ in range(5):
            node.box.seal(40)
            until(lambda: node.uplink.stats().connected, "a connection")
            proxy.cut(reset=True)
            node.delivered()  # one that is cut at again and again would be taken for poison
        assert len(city.held[SPOOL]) == 200
        assert node.box.aside == []


def test_a_half_open_link_is_noticed_by_the_missing_puback_and_costs_nothing(
    broker: Mosquitto,
) -> None:
    with (
        City(broker.port) as city,
        Proxy(broker.port) as proxy,
        Node(plain(proxy.port), puback_ms=700) as node,
    ):
        node.connected()
        proxy.blackhole = True
        node.box.seal(10)
        until(lambda: "PUBACK" in node.uplink.stats().last_error, "the silence is noticed", 5)
        assert len(node.box.held()) == 10
        proxy.blackhole = False
        proxy.cut()
        node.delivered()
        assert len(city.held[SPOOL]) == 10


def test_a_session_that_never_brings_a_puback_is_not_tried_over_and_over(
    broker: Mosquitto,
) -> None:
    def only_connect(data: bytes) -> Instead | None:
        return None if data[0] == 0x10 else Instead()

    with Proxy(broker.port) as proxy:
        proxy.meddle = only_connect
        with Node(plain(proxy.port), backoff_ms=2_000, backoff_max_ms=60_000) as node:
            node.box.seal()
            time.sleep(1.5)  # a loop without backoff makes hundreds of connections in this time
            assert 1 <= proxy.accepted <= 6


def test_backlog_waits_for_nothing_once_the_link_is_back(broker: Mosquitto) -> None:
    with City(broker.port), Proxy(broker.port) as proxy, Node(plain(proxy.port)) as node:
        node.connected()
        proxy.refuse = True
        proxy.cut()
        until(lambda: not node.uplink.stats().connected, "the loss is noticed")
        node.box.seal(30)
        proxy.refuse = False
        until(lambda: node.uplink.stats().connected, "the link")
        began = time.monotonic()
        node.delivered()
        assert time.monotonic() - began < 2.0


def test_a_slow_link_is_never_given_more_than_it_acknowledges(broker: Mosquitto) -> None:
    with City(broker.port) as city, Proxy(broker.port) as proxy:
        proxy.delay_s = 0.03
        with Node(plain(proxy.port), puback_ms=4_000) as node:
            node.box.seal(40, rows=2_000)
            node.delivered(30)
            assert node.uplink.stats().reconnects == 0
            assert set(city.copies.values()) == {1}


def test_the_second_broker_takes_over_and_brings_the_acks_of_the_first(
    broker: Mosquitto, tmp_path: Path
) -> None:
    with (
        Mosquitto(tmp_path / "second") as second,
        City(second.port) as there,
        City(broker.port, held=there.held, silent=True) as here,
        Node(plain(broker.port, second.port)) as node,
    ):
        node.box.seal(5)
        until(lambda: here.has(5), "the batches on the first broker")
        until(lambda: node.box.unconfirmed() == 5, "its acks")
        broker.stop()
        there.acknowledge()
        node.delivered()
        assert node.uplink.stats().broker.endswith(str(second.port))


def test_a_broker_that_proves_nothing_is_left_for_the_next_at_once(
    broker: Mosquitto, tmp_path: Path
) -> None:
    with (
        Mosquitto(tmp_path / "second") as second,
        City(second.port),
        Proxy(broker.port) as proxy,
        Node(plain(proxy.port, second.port), backoff_ms=60_000) as node,
    ):
        proxy.meddle = lambda data: None if data[0] == 0x10 else Instead()
        node.box.seal(3)
        node.delivered(8)
        assert node.uplink.stats().broker.endswith(str(second.port))


def test_a_batch_on_which_the_broker_hangs_up_is_sent_alone_and_then_set_aside(
    broker: Mosquitto,
) -> None:
    with City(broker.port) as city, Proxy(broker.port) as proxy:
        node = Node(plain(proxy.port))
        node.box.seal(12)
        seven = node.box.sealed(0, 7).data
        proxy.meddle = lambda data: Instead() if seven in data else None
        with node:
            until(lambda: node.box.held() == {(0, 7)}, f"the others {node.box.held()}")
            assert [(stream, seq) for stream, seq, _ in node.box.aside] == [(0, 7)]
            assert node.uplink.stats().set_aside == 1
            assert len(city.held[SPOOL]) == 11
