"""The round trip that tells an installer whether a node may do its work on a broker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.uplink import Broker, Trial, UplinkOptions, trial
from tests.support.city import City
from tests.support.mosquitto import Mosquitto
from tests.support.outbox import NODE
from tests.support.ports import free_port
from tests.support.versions import end_of_file
from tests.uplink.rig import Node


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    users = {NODE.hex(): "own", "neighbour": "own"}
    with Mosquitto(tmp_path / "broker", acl=True, users=users) as started:
        yield started


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("own", encoding="utf-8")
    return path


def _try(broker: Broker, custody: str = "city") -> Trial:
    options = UplinkOptions(
        node=NODE, brokers=(broker,), custody="city" if custody == "city" else "broker",
        puback_ms=1_500,
    )  # fmt: skip
    return trial(options, broker, SystemClock(), threading.Event())


def test_a_node_with_its_rights_has_nothing_to_complain_of(broker: Mosquitto, secret: Path) -> None:
    found = _try(Broker("127.0.0.1", broker.port, tls=False, password_file=secret))
    assert found == Trial("5", (), ())


def test_a_refused_publish_is_named_on_mqtt_5(broker: Mosquitto, secret: Path) -> None:
    at = Broker("127.0.0.1", broker.port, tls=False, username="neighbour", password_file=secret)
    (problem,) = _try(at).problems
    assert "0x87" in problem


def test_rights_that_mosquitto_only_pretends_to_give_are_seen_through_on_3_1_1(
    broker: Mosquitto, secret: Path
) -> None:
    with end_of_file(broker.port) as old:
        at = Broker("127.0.0.1", old.port, tls=False, username="neighbour", password_file=secret)
        found = _try(at)
    assert found.protocol == "3.1.1"
    assert "does not come back" in found.problems[0]


def test_a_broker_that_is_not_there_is_named() -> None:
    port = free_port()
    (problem,) = _try(Broker("127.0.0.1", port, tls=False)).problems
    assert str(port) in problem


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_custody_at_the_broker_is_warned_of_on_every_version(
    broker: Mosquitto, secret: Path, version: str
) -> None:
    with end_of_file(broker.port) as old:
        port = old.port if version == "3.1.1" else broker.port
        found = _try(Broker("127.0.0.1", port, tls=False, password_file=secret), "broker")
    assert found.protocol == version
    assert found.problems == ()
    assert "custody" in found.warnings[0]


def test_a_running_node_is_not_disturbed(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "open") as broker,
        City(broker.port) as city,
        Node([Broker("127.0.0.1", broker.port, tls=False)]) as node,
    ):
        node.box.seal()
        node.delivered()
        assert _try(Broker("127.0.0.1", broker.port, tls=False)).problems == ()
        node.box.seal()
        node.delivered()
        assert node.uplink.stats().reconnects == 0
        assert city.states[-1].online or len(city.states) > 1
