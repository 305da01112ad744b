"""MQTT 5 first, 3.1.1 where only that is spoken: the exact rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.city import City
from tests.support.mosquitto import Mosquitto
from tests.support.ports import until
from tests.support.versions import OldOnly, connack, end_of_file, silence
from tests.uplink.rig import Node, plain


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


WAYS: dict[str, Callable[[int], OldOnly]] = {
    "end of file": end_of_file,
    "CONNACK 0x01": lambda target: connack(target, 0x01),
    "CONNACK 0x80": lambda target: connack(target, 0x80),
    "CONNACK 0x81": lambda target: connack(target, 0x81),
    "CONNACK 0x82": lambda target: connack(target, 0x82),
    "CONNACK 0x84": lambda target: connack(target, 0x84),
    "silence": silence,
}


@pytest.mark.parametrize("way", WAYS)
def test_3_1_1_is_tried_at_once_after_a_refusal_that_may_be_about_the_version(
    broker: Mosquitto, way: str
) -> None:
    # The first backoff is longer than the test waits: the second connection must not wait for it.
    with (
        City(broker.port) as city,
        WAYS[way](broker.port) as old,
        Node(plain(old.port), connack_ms=600, backoff_ms=60_000) as node,
    ):
        node.box.seal(3)
        node.delivered(8)
        assert node.uplink.stats().protocol == "3.1.1"
        assert old.accepted == 2
        assert set(city.copies.values()) == {1}


def test_a_slow_broker_is_waited_for_longer_where_silence_is_not_about_the_version(
    broker: Mosquitto,
) -> None:
    with (
        City(broker.port),
        end_of_file(broker.port) as old,
        Node(plain(old.port), connack_ms=500, backoff_ms=60_000) as node,
    ):
        old.delay_s = 0.4  # each way
        node.box.seal()
        node.delivered(8)
        assert old.accepted == 2


@pytest.mark.parametrize("code", [0x86, 0x87, 0x88, 0x89, 0x97])
def test_other_refusals_are_not_about_the_version(broker: Mosquitto, code: int) -> None:
    with connack(broker.port, code) as old, Node(plain(old.port), backoff_ms=60_000) as node:
        until(lambda: "refused" in node.uplink.stats().last_error, "the refusal")
        assert node.uplink.stats().protocol == "5"
        assert old.accepted == 1


def test_the_version_is_remembered_for_the_next_connection(broker: Mosquitto) -> None:
    with City(broker.port), end_of_file(broker.port) as old, Node(plain(old.port)) as node:
        for _ in range(3):
            until(lambda: node.uplink.stats().connected, "a connection")
            node.box.seal()
            node.delivered()
            old.cut()
            until(lambda: not node.uplink.stats().connected, "the loss is noticed")
        assert old.refused == 1
