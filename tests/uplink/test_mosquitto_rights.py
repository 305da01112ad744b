"""The rights of deploy/mosquitto/acl, and what the uplink does about a publish that is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edgenode.reading import EventCode
from edgenode.uplink import Broker
from edgenode.wire import encode
from tests.support.city import City
from tests.support.mosquitto import Mosquitto
from tests.support.outbox import NODE, MemoryOutbox
from tests.support.ports import until
from tests.support.proxy import Instead, Proxy
from tests.support.versions import end_of_file
from tests.uplink.rig import Node


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    users = {NODE.hex(): "node's own", "receiver": "receiver", "neighbour": "neighbour"}
    with Mosquitto(tmp_path / "broker", acl=True, users=users) as started:
        yield started


@pytest.fixture
def own(broker: Mosquitto, tmp_path: Path) -> Broker:
    """The node's way in: its password is in a file."""
    secret = tmp_path / "password"
    secret.write_text("node's own\n", encoding="utf-8")
    return Broker("127.0.0.1", broker.port, tls=False, password_file=secret)


def test_the_shipped_rights_let_a_node_and_the_city_do_their_work(
    broker: Mosquitto, own: Broker
) -> None:
    with City(broker.port) as city, Node([own]) as node:
        node.box.seal(5)
        node.delivered()
        assert node.events == []
        assert {"about", "birth", "state", "batch"} <= {kind for kind, _, _ in city.order}


def test_nobody_but_a_receiver_can_publish_an_ack(broker: Mosquitto, own: Broker) -> None:
    with City(broker.port, silent=True) as city, Node([own]) as node:
        node.box.seal(3)
        until(lambda: node.box.unconfirmed() == 3, "the broker's acks")
        until(lambda: city.has(3), "the batches")
        forged = encode(city.ack())
        for user, password in ((NODE.hex(), "node's own"), ("neighbour", "neighbour")):
            _publish(broker, user, password, f"edgenode/v1/{NODE.hex()}/ack", forged)
        city.publish("cmd", b"x")  # what was published before it has been judged
        assert len(node.box.held()) == 3
        city.acknowledge()
        node.delivered()


def test_a_wrong_password_is_said_and_the_password_is_not(
    broker: Mosquitto, own: Broker, tmp_path: Path
) -> None:
    assert own.password_file is not None
    own.password_file.write_text("wrong-secret", encoding="utf-8")
    with Node([own]) as node:
        until(lambda: node.uplink.stats().last_error, "the refusal")
        assert "user name and password" in node.uplink.stats().last_error
        assert "wrong-secret" not in node.uplink.stats().last_error
        own.password_file.write_text("node's own", encoding="utf-8")
        node.connected()  # a new password is used without a restart


def test_a_password_file_that_is_missing_is_named(own: Broker) -> None:
    assert own.password_file is not None
    own.password_file.unlink()
    with Node([own]) as node:
        until(lambda: str(own.password_file) in node.uplink.stats().last_error, "the name")


@pytest.mark.parametrize("custody", ["city", "broker"])
def test_a_publish_refused_on_mqtt_5_is_kept_and_alarmed(
    broker: Mosquitto, tmp_path: Path, custody: str
) -> None:
    box = MemoryOutbox(custody=custody)
    secret = tmp_path / "neighbours"
    secret.write_text("neighbour", encoding="utf-8")
    stranger = Broker(
        "127.0.0.1", broker.port, tls=False, username="neighbour", password_file=secret
    )
    with Node([stranger], box, custody=custody) as node:
        box.seal(3)
        until(lambda: node.uplink.stats().parked == 3, "the batches kept")
        assert len(box.held()) == 3
        assert box.unconfirmed() == 0
        assert [(e.code, e.value) for e in node.events] == [(EventCode.SPOOL_DEGRADED, 0x87)]
        assert "0x87" in node.uplink.stats().last_error


def test_a_publish_refused_on_mqtt_3_1_1_is_kept_until_the_city_confirms_it(
    broker: Mosquitto, tmp_path: Path
) -> None:
    """There Mosquitto acknowledges what it drops: only custody = city keeps the readings."""
    secret = tmp_path / "neighbours"
    secret.write_text("neighbour", encoding="utf-8")
    with end_of_file(broker.port) as old:
        stranger = Broker(
            "127.0.0.1", old.port, tls=False, username="neighbour", password_file=secret
        )
        with Node([stranger]) as node:
            node.box.seal(3)
            until(lambda: node.box.unconfirmed() == 3, "acks for what was dropped")
            assert node.uplink.stats().protocol == "3.1.1"
            assert len(node.box.held()) == 3


def test_a_broker_that_hangs_up_on_what_a_node_may_not_send_is_asked_about_in_words(
    broker: Mosquitto, own: Broker
) -> None:
    """RabbitMQ says nothing: the state, the first message of a session, is then what it was."""
    with Proxy(broker.port) as proxy:
        proxy.meddle = lambda data: Instead() if data[:1] == b"\x33" else None
        way = replace(own, port=proxy.port)
        with Node([way]) as node:
            until(lambda: "/state: may it?" in node.uplink.stats().last_error, "the question")


def _publish(broker: Mosquitto, user: str, password: str, topic: str, payload: bytes) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"publisher-{user}")
    client.username_pw_set(user, password)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        until(client.is_connected, "a connection")
        client.publish(topic, payload, qos=1, retain=True).wait_for_publish(5)
    finally:
        client.disconnect()
        client.loop_stop()
