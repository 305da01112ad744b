"""The uplink against a real Mosquitto: what arrives, what is kept, who may say what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.city import City
from tests.support.mosquitto import Mosquitto
from tests.uplink.rig import Node, plain


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


def test_a_backlog_arrives_once_and_leaves_the_node_when_the_city_has_acked_it(
    broker: Mosquitto,
) -> None:
    with City(broker.port) as city, Node(plain(broker.port)) as node:
        node.box.seal(50)
        node.delivered()
        assert set(city.copies.values()) == {1}
        assert node.uplink.stats().protocol == "5"


def test_about_and_birth_come_before_the_first_batch(broker: Mosquitto) -> None:
    with City(broker.port) as city, Node(plain(broker.port)) as node:
        node.box.seal(3)
        node.delivered()
        kinds = [kind for kind, _, _ in city.order]
        assert {"about", "birth"} <= set(kinds[: kinds.index("batch")])
