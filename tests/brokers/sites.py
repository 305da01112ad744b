"""Each make of broker as a city would run it: how nodes and receivers get in, how it dies."""

from __future__ import annotations

import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from edgenode.cityos.brokers import CityBroker
from edgenode.uplink import Broker
from tests.support.certificates import Authority
from tests.support.mosquitto import Mosquitto, Shipped
from tests.support.nats import Nats
from tests.support.ports import answers, free_port
from tests.support.process import Process
from tests.support.rabbitmq import RabbitMQ
from tests.support.versions import end_of_file

RECEIVER = "receiver"
NODES = {name: bytes.fromhex(f"a1b2c3d4e5f{n}") for n, name in enumerate(("late", "drain", "own"))}
STRANGER = bytes.fromhex("a1b2c3d4e5ff")  # has rights, but not those of the others
USERS = {who: f"{who}'s own" for who in (*(n.hex() for n in (*NODES.values(), STRANGER)), RECEIVER)}


class Site(ABC):
    """A broker, started by `start` and usable after `usable`.

    `protocol` is the version of MQTT that a node ends up with; `carries_on` where the rest works
    while what was killed is away.
    """

    protocol = "3.1.1"
    carries_on = False
    connack_ms = 5_000

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.ports: list[int] = []
        self.authority: Authority | None = None
        self.running = ExitStack()
        self.said: list[str] = []
        self.report = self.said.append  # for its receivers
        for user, password in {**USERS, "wrong": "wrong-secret"}.items():
            (directory / user).write_text(f"{password}\n", encoding="utf-8")

    @abstractmethod
    def start(self) -> None:
        """Start it in the background."""

    def usable(self) -> None:
        """Wait until it takes connections; those of Mosquitto do so when they have started."""
        return

    @abstractmethod
    def lose(self) -> None:
        """Kill what the node is connected to."""

    @abstractmethod
    def restore(self) -> None:
        """Start what was killed on what its disk holds."""

    def brokers(self, user: str, secret: str = "") -> list[Broker]:
        """Return a node's way in under this user name, with its password or another one."""
        ca = None if self.authority is None else self.authority.certificate
        return [
            Broker(
                "localhost", port, tls=ca is not None, ca=ca, username=user,
                password_file=self.directory / (secret or user),
            )
            for port in self.ports
        ]  # fmt: skip

    def city(self, user: str = RECEIVER) -> list[CityBroker]:
        """Return a receiver's way in."""
        ca = None if self.authority is None else self.authority.certificate
        return [
            CityBroker(
                "localhost", port, tls=ca is not None, ca=ca, username=user,
                password_file=self.directory / user,
            )
            for port in self.ports
        ]  # fmt: skip


class MosquittoTls(Site):
    """Mosquitto 2 with deploy/mosquitto: MQTT 5, TLS, passwords, the normative rights."""

    protocol = "5"

    def start(self) -> None:
        self.authority = self._authority()
        self._broker = self.running.enter_context(Shipped(self.directory, USERS))
        self.ports = [self._broker.port]

    def _authority(self) -> Authority:
        """Return an authority whose certificates lie where the shipped file looks for them."""
        authority = Authority(self.directory)
        authority.issue("server", "DNS:localhost")
        return authority

    def lose(self) -> None:
        self._broker.kill()

    def restore(self) -> None:
        self._broker.start()


class MosquittoMutual(MosquittoTls):
    """The same, and whoever connects shows a certificate with its user name."""

    def start(self) -> None:
        self.authority = self._authority()
        self._own = {user: self.authority.issue(user) for user in USERS}
        stranger = Authority(self.directory / "another")
        self._own["wrong"] = stranger.issue("wrong")
        self._broker = self.running.enter_context(Shipped(self.directory, {}, certificates=True))
        self.ports = [self._broker.port]

    def brokers(self, user: str, secret: str = "") -> list[Broker]:
        assert self.authority is not None
        own = self._own[secret or user]
        return [
            Broker(
                "localhost", port, ca=self.authority.certificate, cert=own.certificate,
                key=own.key, username=user,
            )
            for port in self.ports
        ]  # fmt: skip

    def city(self, user: str = RECEIVER) -> list[CityBroker]:
        assert self.authority is not None
        own = self._own[user]
        return [
            CityBroker(
                "localhost", port, ca=self.authority.certificate, cert=own.certificate, key=own.key
            )
            for port in self.ports
        ]


class MosquittoOld(Site):
    """Mosquitto 2 with the normative rights, for those who only reach it by MQTT 3.1.1."""

    def start(self) -> None:
        keep = ["persistence true", f"persistence_location {self.directory}/"]
        made = Mosquitto(self.directory, keep, acl=True, users=USERS)
        self._broker = self.running.enter_context(made)
        self.ports = [self.running.enter_context(end_of_file(self._broker.port)).port]

    def lose(self) -> None:
        self._broker.kill()

    def restore(self) -> None:
        self._broker.start()


class NatsCluster(Site):
    """Three servers of NATS with deploy/nats; the node's own dies, one of the receiver's two."""

    carries_on = True

    def start(self) -> None:
        self.authority = Authority(self.directory / "authority")
        self._cluster = Nats(self.directory, self.authority, USERS)
        self.ports = self._cluster.ports
        self.running.enter_context(self._cluster)

    def usable(self) -> None:
        self._cluster.usable()

    def city(self, user: str = RECEIVER) -> list[CityBroker]:
        return super().city(user)[:2]

    def lose(self) -> None:
        self._cluster.kill(0)

    def restore(self) -> None:
        self._cluster.start(0)


class RabbitOne(Site):
    """One RabbitMQ with deploy/rabbitmq."""

    def start(self) -> None:
        self.authority = Authority(self.directory / "authority")
        self._broker = RabbitMQ(self.directory, self.authority, USERS)
        self.ports = [self._broker.port]
        self.running.enter_context(self._broker)

    def usable(self) -> None:
        self._broker.usable()

    def lose(self) -> None:
        self._broker.kill()

    def restore(self) -> None:
        self._broker.start()


class Amqtt(Site):
    """The broker of the demo, which keeps nothing, knows no rights and is silent to MQTT 5."""

    connack_ms = 1_000

    def start(self) -> None:
        self.ports = [free_port()]
        self._broker = Process(
            [sys.executable, "-m", "edgenode.demo.broker", str(self.ports[0])],
            self.directory / "amqtt.log",
        )
        self.running.callback(self._broker.end)
        self._broker.start()

    def usable(self) -> None:
        self._broker.usable(lambda: answers(self.ports[0]), 15)

    def lose(self) -> None:
        self._broker.end(signal.SIGKILL)

    def restore(self) -> None:
        self._broker.start()


SITES: Mapping[str, type[Site]] = {  # the slow ones first
    "nats-cluster": NatsCluster,
    "rabbitmq": RabbitOne,
    "mosquitto": MosquittoTls,
    "mosquitto-certificates": MosquittoMutual,
    "mosquitto-3.1.1": MosquittoOld,
    "amqtt": Amqtt,
}
GUARDED = [name for name in SITES if name != "amqtt"]  # those that know rights
