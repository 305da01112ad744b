"""The receiver on a real Mosquitto."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from edgenode.cityos import link, topics
from edgenode.cityos.audit import Audit, audit
from edgenode.cityos.brokers import CityBroker
from edgenode.cityos.city import CityOptions
from edgenode.cityos.receiver import Receiver
from edgenode.cityos.sink import Sink
from edgenode.errors import CityError
from tests.support.certificates import Authority
from tests.support.mosquitto import Mosquitto
from tests.support.node_client import wire
from tests.support.ports import free_port, until
from tests.support.receiving import receiving
from tests.support.sender import Sender
from tests.support.versions import OldOnly, connack, end_of_file, silence

# Dies between the commit of its first batches and everything that would follow it.
DIES = """
import os, signal, sys
from edgenode.cityos import city
from edgenode.cli import main
absorb = city.City.absorb
def last(self, messages, now):
    receipts = absorb(self, messages, now)
    if any(receipt.outcome.value == "stored" for receipt in receipts):
        os.kill(os.getpid(), signal.SIGKILL)
    return receipts
city.City.absorb = last
sys.exit(main(sys.argv[1:]))
"""


def plain(*brokers: Mosquitto) -> list[CityBroker]:
    return [CityBroker("127.0.0.1", broker.port, tls=False) for broker in brokers]


def audited(db: Path, sender: Sender) -> Audit:
    with Sink.open(db, readonly=True) as sink:
        return audit(sink, sender.node)


def received(db: Path, sender: Sender) -> int:
    return sum(stream.received for stream in audited(db, sender).streams)


def derived(db: Path, sender: Sender, count: int) -> bool:
    with Sink.open(db, readonly=True) as sink:
        return len(list(sink.readings(sender.node))) == count


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker", ["max_queued_messages 100000"]) as started:
        yield started


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "city.db"


def test_what_is_published_becomes_rows_and_one_whole_retained_ack(
    broker: Mosquitto, db: Path, sender: Sender
) -> None:
    with receiving(db, plain(broker)), wire(broker.port, sender) as node:
        node.publish([sender.birth_message(), *(sender.batch((n,)) for n in range(50))])
        until(lambda: node.acked(50), "an ack of all batches")
        until(lambda: derived(db, sender, 100), "all rows")
    with wire(broker.port, sender) as later:
        until(lambda: later.acked(50), "the retained ack")
    told = audited(db, sender)
    assert told.well
    assert told.duplicates == 0


def test_a_receiver_killed_between_commit_and_release_loses_nothing_and_doubles_nothing(
    broker: Mosquitto, db: Path, sender: Sender
) -> None:
    words = ["cityos", "receive", "--broker", f"127.0.0.1:{broker.port}", "--no-tls"]
    victim = subprocess.Popen(
        [sys.executable, "-c", DIES, *words, "--db", str(db)], stdout=subprocess.PIPE
    )
    assert victim.stdout is not None
    assert victim.stdout.readline().startswith(b"ready: ")
    with wire(broker.port, sender) as node:
        node.publish([sender.birth_message(), *(sender.batch((n,)) for n in range(30))])
        assert victim.wait(10) == -signal.SIGKILL
        victim.stdout.close()
        assert received(db, sender) < 60
        with receiving(db, plain(broker)):
            until(lambda: node.acked(30), "an ack of all batches")
            until(lambda: derived(db, sender, 60), "all rows")
    told = audited(db, sender)
    assert told.well
    assert told.duplicates > 0, "the broker had not been told, so it delivered again"


def test_a_broker_keeps_what_comes_while_the_receiver_is_away(
    broker: Mosquitto, db: Path, sender: Sender
) -> None:
    with wire(broker.port, sender) as node:
        with receiving(db, plain(broker)):
            node.publish([sender.birth_message(), sender.batch()])
            until(lambda: node.acked(1), "the first ack")
        node.publish([sender.batch(), sender.batch()])
        with receiving(db, plain(broker)):
            until(lambda: node.acked(3), "an ack of what came in between")
    assert audited(db, sender).duplicates == 0, "what was stored had been released to the broker"


def test_two_brokers_are_one_city(
    broker: Mosquitto, tmp_path: Path, db: Path, sender: Sender
) -> None:
    first, second, third = (sender.batch() for _ in range(3))
    with (
        Mosquitto(tmp_path / "second") as other,
        receiving(db, plain(broker, other)),
        wire(broker.port, sender) as here,
        wire(other.port, sender) as there,
    ):
        here.publish([sender.birth_message(), first, second])
        there.publish([second, third])
        until(lambda: here.acked(3) and there.acked(3), "a whole ack on both brokers")
    told = audited(db, sender)
    assert (told.duplicates, told.well) == (1, True)


def test_one_broker_that_is_down_does_not_hold_up_the_other(
    broker: Mosquitto, tmp_path: Path, db: Path, sender: Sender
) -> None:
    with (
        Mosquitto(tmp_path / "second") as other,
        receiving(db, plain(broker, other)),
        wire(other.port, sender) as there,
    ):
        broker.kill()
        there.publish([sender.birth_message(), sender.batch()])
        until(lambda: there.acked(1), "an ack on the broker that is up")
        broker.start()
        with wire(broker.port, sender) as here:
            there.publish([sender.batch()])
            until(lambda: here.acked(2), "the ack on the broker that came back")


def test_a_duplicate_is_acknowledged_again(broker: Mosquitto, db: Path, sender: Sender) -> None:
    message = sender.batch()
    with receiving(db, plain(broker)), wire(broker.port, sender) as node:
        node.publish([sender.birth_message(), message])
        until(lambda: node.acked(1), "the first ack")
        node.acks.clear()
        node.publish([message])
        until(lambda: node.acked(1), "the ack again")


def test_a_forged_topic_is_refused_and_does_not_stop_the_rest(
    broker: Mosquitto, db: Path, sender: Sender
) -> None:
    forged = Sender(node=bytes(6)).batch()._replace(topic=f"{sender.base}/batch/0")
    with receiving(db, plain(broker)), wire(broker.port, sender) as node:
        node.publish([forged, sender.birth_message(), sender.batch()])
        until(lambda: node.acked(1), "the ack of the honest batch")
    told = audited(db, sender)
    assert (told.refused, told.well) == (1, True)
    assert told.alarms[0].startswith("forged: ")


def test_a_birth_that_wildcards_do_not_bring_is_fetched_by_its_exact_topic(
    broker: Mosquitto, db: Path, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "KINDS", ("batch/#",))
    with wire(broker.port, sender) as node:
        node.publish([sender.birth_message()])
        with receiving(db, plain(broker)):
            node.publish([sender.batch()])
            until(lambda: derived(db, sender, 6), "rows, once the birth was fetched")


def test_a_birth_that_nobody_retained_is_asked_for(
    broker: Mosquitto, db: Path, sender: Sender
) -> None:
    with receiving(db, plain(broker)), wire(broker.port, sender) as node:
        node.publish([sender.batch()])
        until(lambda: any(ack.births == (sender.schema,) for ack in node.acks), "key 33")


@pytest.mark.parametrize(
    "behind",
    [end_of_file, partial(connack, code=0x01), partial(connack, code=0x84), silence],
    ids=["end of file", "0x01", "0x84", "silence"],
)
def test_a_broker_that_knows_only_mqtt_3_1_1_is_served_too(
    broker: Mosquitto, db: Path, sender: Sender, behind: Callable[[int], OldOnly]
) -> None:
    said: list[str] = []
    with behind(broker.port) as old, wire(broker.port, sender) as node:
        brokers = [CityBroker("127.0.0.1", old.port, tls=False)]
        with receiving(db, brokers, said.append):
            node.publish([sender.birth_message(), sender.batch()])
            until(lambda: node.acked(1), "an ack")
    assert any("MQTT 3.1.1" in text for text in said)


def test_mqtt_3_1_1_is_tried_at_once_and_its_connack_waited_for(
    broker: Mosquitto, db: Path, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "CONNACK_S", 0.5)
    monkeypatch.setattr(link, "BACKOFF_S", 3_600.0)
    monkeypatch.setattr(link, "BACKOFF_MAX_S", 3_600.0)
    with end_of_file(broker.port) as old, wire(broker.port, sender) as node:
        old.delay_s = 0.4  # each way
        with receiving(db, [CityBroker("127.0.0.1", old.port, tls=False)]):
            node.publish([sender.birth_message(), sender.batch()])
            until(lambda: node.acked(1), "an ack")


def test_rights_and_tls(tmp_path: Path, db: Path, sender: Sender) -> None:
    authority = Authority(tmp_path / "authority")
    server = authority.issue("localhost", "DNS:localhost")
    secret, users = tmp_path / "secret", tmp_path / "users"
    secret.write_text("rain\n", encoding="utf-8")
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(users), "city", "rain"], check=True)
    inside = free_port()
    lines = [
        f"cafile {authority.certificate}", f"certfile {server.certificate}",
        f"keyfile {server.key}", "per_listener_settings true", f"password_file {users}",
        "allow_anonymous false", f"listener {inside} 127.0.0.1", "allow_anonymous true",
    ]  # fmt: skip
    made = Mosquitto(tmp_path / "broker", lines)
    made.inside = inside  # before the start, which waits for both listeners
    with made as broker:
        secured = CityBroker(
            "localhost", broker.port, ca=authority.certificate, username="city",
            password_file=secret,
        )  # fmt: skip
        with receiving(db, [secured]), wire(inside, sender) as node:
            node.publish([sender.birth_message(), sender.batch()])
            until(lambda: node.acked(1), "an ack")


def test_what_cannot_be_used_for_a_connection_is_told_before_it_is_tried(tmp_path: Path) -> None:
    missing = tmp_path / "nothing"
    with Sink.open(tmp_path / "city.db") as sink:
        for broker in (
            CityBroker("h", ca=missing),
            CityBroker("h", tls=False, username="u", password_file=missing),
        ):
            with pytest.raises(CityError, match=r"nothing|h:8883"):
                Receiver([broker], sink, CityOptions(), print)


def test_the_verb_says_ready_once_and_stops_cleanly_on_sigterm(
    broker: Mosquitto, db: Path, sender: Sender
) -> None:
    words = ["cityos", "receive", "--broker", f"127.0.0.1:{broker.port}", "--no-tls"]
    with subprocess.Popen(
        [sys.executable, "-m", "edgenode", *words, "--db", str(db)],
        stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as city:  # fmt: skip
        assert city.stdout is not None
        assert b"ready" in city.stdout.readline()
        with wire(broker.port, sender) as node:
            node.publish([sender.birth_message(), sender.batch()])
            until(lambda: node.acked(1), "an ack")
        city.send_signal(signal.SIGTERM)
        assert city.wait(10) == 0
        assert city.stdout.read() == b""
