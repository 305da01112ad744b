"""TLS: the broker's certificate, the node's own, and new ones without a restart."""

from __future__ import annotations

import logging
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import DisconnectFlags

from edgenode.clock import SystemClock
from edgenode.uplink import Broker, UplinkOptions
from edgenode.uplink.session import V311, Session
from tests.support.certificates import Authority
from tests.support.city import City
from tests.support.mosquitto import Mosquitto, Shipped
from tests.support.outbox import NODE
from tests.support.ports import free_port, until
from tests.uplink.rig import Node


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def _lines(authority: Authority, *more: str) -> list[str]:
    server = authority.issue("localhost", "DNS:localhost")
    return [
        f"cafile {authority.certificate}",
        f"certfile {server.certificate}",
        f"keyfile {server.key}",
        *more,
    ]


@pytest.fixture
def broker(authority: Authority, tmp_path: Path) -> Iterator[Mosquitto]:
    """One port with TLS for the node, a plain one for the city."""
    inside = free_port()
    plain = ["", f"listener {inside} 127.0.0.1"]
    made = Mosquitto(tmp_path / "broker", [*_lines(authority), *plain])
    made.inside = inside  # before the start, which waits for both
    with made:
        yield made


@pytest.fixture
def strict(authority: Authority, tmp_path: Path) -> Iterator[Mosquitto]:
    """The same, and the node must show a certificate of its own."""
    inside = free_port()
    asked = ["require_certificate true", f"listener {inside} 127.0.0.1"]
    made = Mosquitto(tmp_path / "strict", _lines(authority, *asked))
    made.inside = inside
    with made:
        yield made


def test_batches_travel_through_tls(authority: Authority, broker: Mosquitto) -> None:
    secured = Broker("localhost", broker.port, ca=authority.certificate)
    with City(broker.inside) as city, Node([secured]) as node:
        node.box.seal(30, rows=500)
        node.delivered()
        assert set(city.copies.values()) == {1}


def test_a_certificate_of_a_stranger_is_refused(broker: Mosquitto, tmp_path: Path) -> None:
    stranger = Authority(tmp_path)
    with Node([Broker("localhost", broker.port, ca=stranger.certificate)]) as node:
        node.box.seal()
        until(lambda: "certificate verify failed" in node.uplink.stats().last_error, "the refusal")
        assert node.uplink.stats().connections == 0


def test_a_certificate_for_another_name_is_refused(authority: Authority, broker: Mosquitto) -> None:
    with Node([Broker("127.0.0.1", broker.port, ca=authority.certificate)]) as node:
        until(lambda: "certificate verify failed" in node.uplink.stats().last_error, "the refusal")


def test_a_node_shows_its_own_certificate(authority: Authority, strict: Mosquitto) -> None:
    own = authority.issue(NODE.hex())
    mutual = Broker(
        "localhost", strict.port, ca=authority.certificate, cert=own.certificate, key=own.key
    )
    with City(strict.inside), Node([mutual]) as node:
        node.box.seal(3)
        node.delivered()


def test_a_renewed_certificate_is_used_without_a_restart(
    authority: Authority, strict: Mosquitto, tmp_path: Path
) -> None:
    old, new = Authority(tmp_path / "old").issue(NODE.hex()), authority.issue(NODE.hex())
    cert, key = tmp_path / "node.crt", tmp_path / "node.key"
    shutil.copy(old.certificate, cert)
    shutil.copy(old.key, key)
    mutual = Broker("localhost", strict.port, ca=authority.certificate, cert=cert, key=key)
    with City(strict.inside), Node([mutual]) as node:
        until(lambda: node.uplink.stats().last_error, "the refusal of the old one")
        assert node.uplink.stats().connections == 0
        shutil.copy(new.certificate, cert)
        shutil.copy(new.key, key)
        node.box.seal(3)
        node.delivered()


def test_a_certificate_file_that_is_missing_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.crt"
    with Node([Broker("localhost", 1, ca=missing)]) as node:
        until(lambda: str(missing) in node.uplink.stats().last_error, "the name")


def test_the_shipped_configuration_does_what_docs_brokers_md_says(
    authority: Authority, tmp_path: Path
) -> None:
    """Its files are looked for in a directory of the test; nothing else is changed."""
    server = authority.issue("localhost", "DNS:localhost")
    directory = tmp_path / "broker"
    directory.mkdir()
    shutil.copy(authority.certificate, directory / "ca.crt")
    shutil.copy(server.certificate, directory / "server.crt")
    shutil.copy(server.key, directory / "server.key")
    secret = tmp_path / "secret"
    secret.write_text("node's own", encoding="utf-8")
    users = {NODE.hex(): "node's own", "receiver": "receiver"}
    with (
        Shipped(directory, users) as broker,
        City(broker.port, ca=authority.certificate) as city,
        Node(
            [Broker("localhost", broker.port, ca=authority.certificate, password_file=secret)]
        ) as node,
    ):
        node.box.seal(20)
        node.delivered()
        assert set(city.copies.values()) == {1}
        assert node.events == []


def test_an_end_without_tls_goodbye_is_the_brokers() -> None:
    """RabbitMQ hangs up so on what a node may not publish, while more is being written."""
    broker = Broker("localhost")
    session = Session(
        broker, V311, UplinkOptions(node=NODE, brokers=(broker,)), None, SystemClock()
    )
    error = ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
    session._last.handle(logging.LogRecord("paho", logging.ERROR, "", 0, "%s", (error,), None))
    flags = DisconnectFlags(is_disconnect_packet_from_server=False)
    session._on_disconnect(session._client, None, flags, None, None)
    assert session.ended is not None
    assert session.ended.by_peer
