from __future__ import annotations

import random

import cbor2
import pytest

from edgenode.cityos import intake
from edgenode.cityos.city import City
from edgenode.cityos.intake import Incoming, Outcome
from edgenode.cityos.sink import Sink
from edgenode.wire import NO_SPOOL, About, Ack, State, encode
from tests.support.sender import ARRIVAL, Sender


def outcome(city: City, message: Incoming) -> Outcome:
    return city.absorb([message], 0)[0].outcome


def total(sink: Sink, table: str) -> int:
    return int(sink.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - names of the test


def test_a_batch_is_stored_byte_by_byte_with_where_and_when_it_came(
    city: City, sink: Sink, sender: Sender
) -> None:
    message = sender.batch()
    assert outcome(city, message) is Outcome.STORED
    row = sink.db.execute("SELECT node, spool, stream, seq, bytes, arrival, topic FROM raw")
    assert row.fetchall() == [
        (sender.node, sender.spool, 0, 1, message.payload, ARRIVAL, message.topic)
    ]


def test_the_same_bytes_again_are_a_duplicate_and_change_nothing(
    city: City, sink: Sink, sender: Sender
) -> None:
    message = sender.batch()
    outcomes = [receipt.outcome for receipt in city.absorb([message, message], 0)]
    assert outcomes == [Outcome.STORED, Outcome.DUPLICATE]
    assert outcome(city, message) is Outcome.DUPLICATE
    assert total(sink, "raw") == 1
    assert sink.counters(sender.node) == {"duplicate": 2}


def test_other_bytes_under_one_identity_are_kept_aside_counted_and_alarmed(
    city: City, sink: Sink, sender: Sender
) -> None:
    first = sender.batch()
    clone = Sender().batch((9_000,))
    city.absorb([first], 0)
    assert outcome(city, clone) is Outcome.CONFLICT
    assert outcome(city, clone) is Outcome.CONFLICT
    assert sink.db.execute("SELECT bytes FROM raw").fetchall() == [(first.payload,)]
    assert sink.db.execute("SELECT bytes FROM conflict").fetchall() == [(clone.payload,)]
    assert sink.counters(sender.node)["conflict"] == 2
    assert total(sink, "alarm") == 2


def test_the_identity_goes_across_epochs(city: City, sender: Sender) -> None:
    city.absorb([sender.batch(epoch=3)], 0)
    assert outcome(city, Sender().batch(epoch=4)) is Outcome.CONFLICT


def test_a_batch_on_another_nodes_topic_is_refused_and_alarmed(
    city: City, sink: Sink, sender: Sender
) -> None:
    message = sender.batch()
    victim = bytes.fromhex("0000000000ff")
    forged = message._replace(topic=message.topic.replace(sender.node.hex(), victim.hex()))
    assert outcome(city, forged) is Outcome.REFUSED
    assert total(sink, "raw") == 0
    assert sink.counters(victim) == {"forged": 1, "refused": 1}
    assert sink.db.execute("SELECT reason, bytes FROM refused").fetchall() == [
        ("forged", message.payload)
    ]


def test_a_batch_on_the_topic_of_another_stream_is_refused(city: City, sender: Sender) -> None:
    message = sender.batch(stream=1)
    assert outcome(city, message._replace(topic=f"{sender.base}/batch/0")) is Outcome.REFUSED


def test_a_birth_on_the_topic_of_another_schema_is_refused(city: City, sender: Sender) -> None:
    topic = f"{sender.base}/birth/{'00' * 8}"
    assert outcome(city, sender.birth_message()._replace(topic=topic)) is Outcome.REFUSED


def test_a_message_of_another_kind_than_its_topic_is_refused(city: City, sender: Sender) -> None:
    assert outcome(city, sender.batch()._replace(topic=f"{sender.base}/about")) is Outcome.REFUSED
    ack = encode(Ack(sender.node, sender.spool, {0: ((1, 9),)}))
    assert outcome(city, Incoming(f"{sender.base}/batch/0", ack, ARRIVAL)) is Outcome.REFUSED


@pytest.mark.parametrize(
    "leaf", ["batch", "batch/16", "batch/00", "batch/0/1", "birth/xyz", "ack", "ABOUT", ""]
)
def test_what_comes_on_no_topic_of_a_node_is_refused(city: City, sender: Sender, leaf: str) -> None:
    message = sender.batch()._replace(topic=f"{sender.base}/{leaf}")
    assert outcome(city, message) is Outcome.REFUSED


def test_a_message_of_another_version_is_kept_and_not_acknowledged(
    city: City, sink: Sink, sender: Sender
) -> None:
    future = sender.batch()._replace(payload=cbor2.dumps({0: 2, 1: sender.node, 99: "new"}))
    assert outcome(city, future) is Outcome.REFUSED
    assert outcome(city, future) is Outcome.REFUSED
    kept = sink.db.execute("SELECT reason, bytes FROM refused").fetchall()
    assert kept == [("version", future.payload)]
    assert city.acks(10_000, ARRIVAL) == []


def test_noise_never_ends_the_receiver_and_is_never_stored_as_a_batch(
    city: City, sink: Sink, sender: Sender
) -> None:
    message = sender.batch()
    noise = random.Random(4)
    for _ in range(300):
        broken = bytearray(message.payload)
        for _ in range(noise.randrange(1, 4)):
            broken[noise.randrange(len(broken))] = noise.randrange(256)
        cut = bytes(broken[: noise.randrange(len(broken) + 1)])
        city.absorb([message._replace(payload=cut)], 0)
    while city.derive():
        pass
    assert total(sink, "raw") + total(sink, "refused") + total(sink, "conflict") > 0


def test_what_is_refused_is_bounded_and_the_newest_is_kept(
    city: City, sink: Sink, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MAX_REFUSED", 5)
    topic = f"{sender.base}/batch/0"
    version = Incoming(topic, cbor2.dumps({0: 2}), ARRIVAL)
    city.absorb([version, *(Incoming(topic, bytes([i]), ARRIVAL) for i in range(20))], 0)
    kept = sink.db.execute("SELECT bytes FROM refused WHERE reason = 'bytes'").fetchall()
    assert kept == [(bytes([i]),) for i in range(15, 20)]
    assert sink.counters(sender.node)["refused"] == 21
    assert total(sink, "refused") == 6


def test_nothing_of_a_transaction_that_fails_is_there(
    city: City, sink: Sink, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def burst(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Sink, "count", burst)
    with pytest.raises(KeyboardInterrupt):
        city.absorb([sender.batch()] * 2, 0)
    assert total(sink, "raw") == total(sink, "held") == 0
    assert city.acks(10_000, ARRIVAL) == []


def test_a_cleared_retained_message_is_no_fault(city: City, sink: Sink, sender: Sender) -> None:
    assert outcome(city, Incoming(f"{sender.base}/state", b"", ARRIVAL)) is Outcome.NOTED
    assert total(sink, "refused") == 0


def test_the_newest_about_replaces_the_one_before(city: City, sink: Sink, sender: Sender) -> None:
    first, second = (encode(About(sender.node, {"name": name})) for name in ("a", "b"))
    topic = f"{sender.base}/about"
    city.absorb([Incoming(topic, first, ARRIVAL), Incoming(topic, second, ARRIVAL)], 0)
    assert sink.about(sender.node) == second


@pytest.mark.parametrize(
    ("messages", "state"),
    [
        ([(3, 100, True)], "online"),
        ([(3, 100, True), (3, 100, False)], "offline"),
        ([(3, 100, False), (3, 100, True)], "offline"),  # retained, from a second broker
        ([(3, 200, True), (3, 100, False)], "online"),  # a late will of the session before
        ([(4, 10, True), (3, 900, False)], "online"),
        ([(3, 100, False), (3, 101, True)], "online"),
    ],
)
def test_the_state_with_the_highest_epoch_and_connect_counts(
    city: City, sink: Sink, sender: Sender, messages: list[tuple[int, int, bool]], state: str
) -> None:
    for epoch, connect, online in messages:
        city.absorb([sender.state_message(epoch, connect, online=online)], 0)
    assert sink.presence(sender.node).state == state


def test_a_trial_of_rights_says_nothing_of_the_node(city: City, sink: Sink, sender: Sender) -> None:
    city.absorb([sender.state_message(3, 1, online=True)], 0)
    trial = encode(State(sender.node, NO_SPOOL, online=False, epoch=0, connect_ms=0))
    city.absorb([Incoming(f"{sender.base}/state", trial, ARRIVAL)], 0)
    assert sink.presence(sender.node).state == "online"
    assert sink.spools(sender.node) == [sender.spool]


def test_a_node_that_says_nothing_is_silent_until_it_speaks_again(
    city: City, sink: Sink, sender: Sender
) -> None:
    city.absorb([sender.state_message(3, 1, online=True), sender.batch()], 0)
    assert city.fall_silent(ARRIVAL + 300_000) == []
    assert city.fall_silent(ARRIVAL + 300_001) == [sender.node]
    assert city.fall_silent(ARRIVAL + 300_002) == []
    assert sink.presence(sender.node) == ("silent", ARRIVAL)
    city.absorb([sender.batch(arrival=ARRIVAL + 400_000)], 0)
    assert sink.presence(sender.node) == ("online", ARRIVAL + 400_000)


def test_what_a_broker_retained_is_no_sign_of_life(city: City, sink: Sink, sender: Sender) -> None:
    city.absorb([sender.birth_message(retained=True)], 0)
    assert sink.presence(sender.node) == ("unknown", 0)


def test_a_node_that_said_good_bye_is_not_missed(city: City, sender: Sender) -> None:
    city.absorb([sender.state_message(3, 1, online=False)], 0)
    assert city.fall_silent(ARRIVAL + 10**9) == []
