"""Receivers on a real broker and a real PostgreSQL, either of which may die at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from edgenode.cityos import city as city_module
from edgenode.cityos.audit import audit
from edgenode.cityos.brokers import CityBroker
from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.intake import Incoming, Intake, Outcome, Receipt
from edgenode.cityos.outbox import Outbox
from edgenode.cityos.sink import Sink
from edgenode.reading import Anchor, ClockSource
from tests.support.mosquitto import Mosquitto
from tests.support.node_client import wire
from tests.support.ports import until
from tests.support.postgres import Postgres
from tests.support.receiving import receiving
from tests.support.sender import ARRIVAL, Sender
from tests.support.truth import differences, readings_of

NOW = Anchor(0, ARRIVAL, ClockSource.NTP, 5)
COUNT = 60
BOTH = 2


@pytest.fixture
def server(postgres: Postgres) -> Iterator[Postgres]:
    """The server of all tests, which may be killed here."""
    yield postgres
    postgres.start()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker", ["max_queued_messages 100000"]) as started:
        yield started


def at(broker: Mosquitto) -> list[CityBroker]:
    return [CityBroker("127.0.0.1", broker.port, tls=False)]


def batches(sender: Sender, count: int = COUNT) -> list[Incoming]:
    return [sender.batch((n, n + 1), anchors=[NOW]) for n in range(count)]


def all_derived(url: str, count: int) -> bool:
    with Sink.open(url, readonly=True) as sink:
        return bool(sink.db.execute("SELECT count(*) FROM sample").fetchone()[0] >= count)


def check(url: str, sender: Sender, messages: Sequence[Incoming]) -> None:
    """Hold the database against what was sent: the tables, the account and the outbox."""
    truth = readings_of(messages, sender.birth)
    until(lambda: all_derived(url, len(truth)), "all rows")
    with Sink.open(url) as sink:
        assert differences(sink, truth) == (0, 0, 0)
        assert audit(sink, sender.node).well
        told = Outbox(sink, "lines").read(batches=COUNT * 2).readings
        assert sorted(r.ordinal for r in told) == sorted(row[4] for row in truth)


def kill_after_commit(server: Postgres, patch: pytest.MonkeyPatch) -> None:
    absorb = City.absorb

    def last(self: City, messages: Sequence[Incoming], now: int) -> list[Receipt]:
        receipts = absorb(self, messages, now)
        if any(receipt.outcome is Outcome.STORED for receipt in receipts):
            patch.undo()
            server.kill()
        return receipts

    patch.setattr(city_module.City, "absorb", last)


def kill_before_commit(server: Postgres, patch: pytest.MonkeyPatch) -> None:
    accept = Intake.accept

    def last(self: Intake, messages: Sequence[Incoming]) -> list[Receipt]:
        receipts = accept(self, messages)
        if any(receipt.outcome is Outcome.STORED for receipt in receipts):
            patch.undo()
            server.kill()
        return receipts

    patch.setattr(Intake, "accept", last)


@pytest.mark.parametrize("deadly", [kill_after_commit, kill_before_commit])
def test_a_server_killed_around_the_commit_loses_nothing_and_doubles_nothing(
    server: Postgres, broker: Mosquitto, sender: Sender, monkeypatch: pytest.MonkeyPatch,
    deadly: Callable[[Postgres, pytest.MonkeyPatch], None],
) -> None:  # fmt: skip
    url, messages, said = server.url(server.database()), batches(sender), list[str]()
    with receiving(url, at(broker), said.append), wire(broker.port, sender) as node:
        deadly(server, monkeypatch)
        node.publish([sender.birth_message(), *messages])
        until(lambda: any("not to be had" in text for text in said), "the loss to be noticed")
        assert not node.acked(COUNT), "what PostgreSQL does not have is not acknowledged"
        server.start()
        until(lambda: node.acked(COUNT), "an ack of all batches")
    check(url, sender, messages)


def test_a_receiver_waits_for_its_sink_and_can_be_stopped_meanwhile(
    server: Postgres, broker: Mosquitto, sender: Sender
) -> None:
    url, said = server.url(server.database()), list[str]()
    with wire(broker.port, sender) as node:
        with receiving(url, at(broker), said.append):
            server.kill()
            node.publish([sender.birth_message(), *batches(sender, 3)])
            until(lambda: any("not to be had" in text for text in said), "a word about it")
        server.start()
        with receiving(url, at(broker)):
            until(lambda: node.acked(3), "what the broker kept")


def test_a_receiver_that_starts_before_its_database_waits_for_it(
    server: Postgres, broker: Mosquitto
) -> None:
    url = server.url(server.database())
    server.stop()
    words = ["cityos", "receive", "--no-tls", "--db", url, "--broker", f"127.0.0.1:{broker.port}"]
    with subprocess.Popen(
        [sys.executable, "-m", "edgenode", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as early:  # fmt: skip
        assert early.stdout is not None
        assert early.stderr is not None
        assert "waiting for it" in early.stderr.readline()
        server.start()
        assert early.stdout.readline().startswith("ready: ")
        early.terminate()
    assert early.returncode == 0


def shared(url: str, broker: Mosquitto) -> Any:
    return receiving(url, at(broker), print, CityOptions(share="city"))


def test_receivers_of_a_group_get_each_batch_once_among_them(
    postgres: Postgres, broker: Mosquitto, sender: Sender
) -> None:
    url, messages = postgres.url(postgres.database()), batches(sender)
    with shared(url, broker) as one, shared(url, broker) as other:
        with wire(broker.port, sender) as node:
            node.publish([sender.birth_message(), *messages])
            until(lambda: node.acked(COUNT), "an ack of all batches")
        assert len({link._client_id for link in (*one.links, *other.links)}) == BOTH
    check(url, sender, messages)
    with Sink.open(url) as sink:
        assert "duplicate" not in sink.counters(sender.node)


def test_without_a_group_every_receiver_gets_all_and_the_key_decides(
    postgres: Postgres, broker: Mosquitto, sender: Sender
) -> None:
    url, messages = postgres.url(postgres.database()), batches(sender)
    with receiving(url, at(broker)), receiving(url, at(broker)):
        with wire(broker.port, sender) as node:
            node.publish([sender.birth_message(), *messages])
            until(lambda: node.acked(COUNT), "an ack of all batches")
        until(lambda: duplicates(url, sender) == COUNT, "the copies of the other receiver")
    check(url, sender, messages)


def duplicates(url: str, sender: Sender) -> int:
    with Sink.open(url, readonly=True) as sink:
        return sink.counters(sender.node).get("duplicate", 0)


def test_a_receiver_of_a_group_may_be_killed_and_the_others_ask_for_what_it_had(
    postgres: Postgres, broker: Mosquitto, sender: Sender
) -> None:
    url, messages = postgres.url(postgres.database()), batches(sender, 20)
    words = ["cityos", "receive", "--no-tls", "--share", "city", "--db", url, "--broker"]
    victim = subprocess.Popen(
        [sys.executable, "-m", "edgenode", *words, f"127.0.0.1:{broker.port}"],
        stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert victim.stdout is not None
    ready = victim.stdout.readline()
    assert ready.startswith(b"ready: "), ready
    with victim, shared(url, broker), wire(broker.port, sender) as node:
        victim.send_signal(signal.SIGSTOP)  # what it is given from here on, it never stores
        node.publish([sender.birth_message(), *messages[:-1]])
        victim.kill()
        victim.wait(10)
        node.publish([messages[-1]])
        until(lambda: asked(node.acks) or node.acked(20), "key 31, or another turn of the broker")
        node.publish(messages)
        until(lambda: node.acked(20), "an ack of all batches")
    check(url, sender, messages)


def asked(acks: Sequence[Any]) -> bool:
    return any(ack.resend for ack in acks)
