"""The uplink against a real Mosquitto: what arrives, what is kept, what is said about it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.reading import EventCode
from edgenode.spool import Traffic
from edgenode.wire import State, encode
from tests.support.city import City
from tests.support.mosquitto import Mosquitto
from tests.support.outbox import NODE, SCHEMA, SPOOL, MemoryOutbox
from tests.support.ports import until
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


def test_about_and_birth_are_said_again_in_the_next_session(broker: Mosquitto) -> None:
    with City(broker.port) as city, Node(plain(broker.port)) as node:
        node.box.seal()
        node.delivered()
    with City(broker.port) as city, Node(plain(broker.port), node.box) as node:
        city.order.clear()
        node.box.seal()
        node.delivered()
        kinds = [kind for kind, _, _ in city.order]
        assert {"about", "birth"} <= set(kinds[: kinds.index("batch")])


def test_a_broker_that_stops_and_comes_back_costs_nothing(
    broker: Mosquitto, tmp_path: Path
) -> None:
    with Node(plain(broker.port)) as node:
        with City(broker.port):
            node.box.seal(5)
            node.delivered()
        broker.stop()
        until(lambda: not node.uplink.stats().connected, "the loss is noticed")
        node.box.seal(5)
        broker.start()
        with City(broker.port):
            node.delivered()
        assert node.uplink.stats().reconnects >= 1


def test_what_a_killed_broker_had_acked_and_lost_is_asked_for_and_sent_again(
    broker: Mosquitto,
) -> None:
    """With persistence off a broker forgets what it acknowledged; only the city's word counts."""
    with City(broker.port, silent=True), Node(plain(broker.port)) as node:
        node.box.seal(20)
        until(lambda: node.box.unconfirmed() == 20, "the broker's acks")
        broker.kill()
        assert len(node.box.held()) == 20
        broker.start()
        with City(broker.port) as city:
            city.publish("ack", encode(city.ack(resend=((0, 1, 20),))))
            node.delivered()
            assert len(city.held[SPOOL]) == 20


def test_state_is_online_while_connected_and_offline_after_a_stop(broker: Mosquitto) -> None:
    with City(broker.port) as city:
        with Node(plain(broker.port)) as node:
            node.connected()
            until(lambda: city.states, "state")
            assert city.states[-1].online
        until(lambda: not city.states[-1].online, "the farewell")
        assert city.states[-1].connect_ms == city.states[0].connect_ms


def test_an_older_will_that_comes_late_is_overruled(broker: Mosquitto) -> None:
    with City(broker.port) as city, Node(plain(broker.port)) as node:
        node.connected()
        until(lambda: city.states, "state")
        ours = city.states[-1]
        city.publish("state", encode(State(NODE, SPOOL, False, 3, ours.connect_ms - 1)))
        until(lambda: city.states[-1] == ours and len(city.states) >= 3, "our state again")


def test_another_cards_retained_state_is_overruled(broker: Mosquitto) -> None:
    with City(broker.port) as city:
        city.publish("state", encode(State(NODE, b"othercrd", True, 99, 1)))
        with Node(plain(broker.port)) as node:
            node.connected()
            until(lambda: city.states[-1].spool == SPOOL and city.states[-1].online, "our state")


def test_a_birth_that_is_asked_for_is_published_again(broker: Mosquitto) -> None:
    with City(broker.port) as city, Node(plain(broker.port)) as node:
        node.box.seal()
        node.delivered()
        before = sum(kind == "birth" for kind, _, _ in city.order)
        city.acknowledge(births=(SCHEMA, b"unknown!"))
        until(lambda: sum(k == "birth" for k, _, _ in city.order) == before + 1, "the birth again")


def test_an_ack_for_another_spool_changes_nothing(broker: Mosquitto) -> None:
    with City(broker.port, silent=True) as city, Node(plain(broker.port)) as node:
        node.box.seal(3)
        until(lambda: node.box.unconfirmed() == 3, "the broker's acks")
        city.held[b"othercrd"] = {(0, 1), (0, 2), (0, 3)}
        city.acknowledge(b"othercrd")
        city.held[SPOOL] = {(0, 1)}
        city.acknowledge(SPOOL)
        until(lambda: len(node.box.held()) == 2, "the ack that was for it")


def test_a_forged_ack_is_refused_whole(broker: Mosquitto) -> None:
    with City(broker.port, silent=True) as city, Node(plain(broker.port)) as node:
        node.box.seal(3)
        until(lambda: node.box.unconfirmed() == 3, "the broker's acks")
        city.held[SPOOL] = {(0, seq) for seq in range(1, 1000)}
        city.acknowledge()
        until(lambda: "refused" in node.uplink.stats().last_error, "the refusal")
        assert len(node.box.held()) == 3


def test_an_ack_in_another_nodes_name_is_alarmed_as_tampering(broker: Mosquitto) -> None:
    with City(broker.port, silent=True) as city, Node(plain(broker.port)) as node:
        node.connected()
        forged = encode(city.ack(node=b"stranger"))
        for _ in range(3):
            city.publish("ack", forged)
        until(lambda: node.events, "the alarm")
        assert [event.code for event in node.events] == [EventCode.TAMPER]


def test_a_new_card_sends_its_own_and_the_old_cards_batches(broker: Mosquitto) -> None:
    old, new = MemoryOutbox(b"old-card", epoch=1), MemoryOutbox(b"new-card", epoch=2)
    old.seal(5)
    new.seal(5)
    with City(broker.port) as city, Node(plain(broker.port), new, old) as node:
        node.delivered()
        until(lambda: not old.held(), "the old card's batches")
        assert city.states[-1].spool == b"new-card"
        assert city.has(5, b"old-card")
        assert city.has(5, b"new-card")


def test_alarms_and_fresh_batches_overtake_a_backlog(broker: Mosquitto) -> None:
    with City(broker.port) as city, Node(plain(broker.port), backlog_per_s=5.0) as node:
        node.connected()
    node.box.seal(100)
    with City(broker.port) as city, Node(plain(broker.port), node.box, backlog_per_s=5.0) as node:
        until(lambda: city.has(3), "the first of the backlog")
        node.box.seal(stream=1, alarm=True)
        until(lambda: (1, 1) in city.held[SPOOL], "the alarm", 3)
        assert len(city.held[SPOOL]) < 60


def test_the_brokers_word_is_enough_where_it_keeps_custody(broker: Mosquitto) -> None:
    box = MemoryOutbox(custody="broker")
    with (
        City(broker.port, silent=True) as city,
        Node(plain(broker.port), box, custody="broker") as node,
    ):
        box.seal(30)
        node.delivered()
        until(lambda: city.has(30), "the batches")


def test_nothing_is_lost_when_nobody_subscribes_and_the_brokers_word_counts(
    broker: Mosquitto,
) -> None:
    box = MemoryOutbox(custody="broker")
    with Node(plain(broker.port), box, custody="broker") as node:
        box.seal(3)
        until(lambda: node.uplink.stats().parked == 3, "the batches kept")
        assert len(box.held()) == 3
        assert node.events == []  # silence is no refusal


def test_the_uplink_stops_at_once_whatever_it_waits_for(broker: Mosquitto) -> None:
    node = Node(plain(1), backoff_ms=60_000)
    with node:
        until(lambda: node.uplink.stats().last_error, "a failed attempt")
    assert threading.active_count() < 10


def test_everything_is_sent_below_the_prefix_of_the_node(broker: Mosquitto) -> None:
    with City(broker.port) as city, Node(plain(broker.port)) as node:
        node.box.seal(2, stream=2)
        node.delivered()
        assert city.topics
        assert all(topic.startswith(f"edgenode/v1/{NODE.hex()}/") for topic in city.topics)


def test_the_bytes_counted_lie_between_the_payload_and_what_headers_can_add(
    broker: Mosquitto,
) -> None:
    traffic = Traffic()
    with City(broker.port), Node(plain(broker.port), traffic=traffic) as node:
        node.connected()
        node.box.seal(200, rows=600)
        node.delivered()
        until(lambda: node.uplink.stats().sent_today > node.uplink.stats().bytes_sent, "the count")
    stats = node.uplink.stats()
    messages = stats.sent + 4  # state, about, birth, farewell
    most = stats.bytes_sent + 1_000 + messages * (52 + 60)  # a segment and an MQTT head for each
    assert stats.bytes_sent < stats.sent_today <= most + 52 * 2 * messages
    assert 4 * stats.acked < stats.received_today < 1_000 * (messages + stats.city_acks)
    assert traffic.figures().today == (stats.sent_today, stats.received_today)


def test_events_reach_the_city_and_telemetry_waits_when_the_budget_is_spent(
    broker: Mosquitto,
) -> None:
    traffic = Traffic()
    clock = SystemClock()
    traffic.note(50_000, 0, clock.boot_ms(), None)
    box = MemoryOutbox()
    box.seal(5)
    box.seal(3, stream=1)
    with City(broker.port), Node(plain(broker.port), box, traffic=traffic, day_bytes=9_000) as node:
        until(lambda: {key for key in box.held() if key[0] == 1} == set(), "events gone")
        assert {box.where(0, seq) for seq in range(1, 6)} == {"sealed"}
        assert node.uplink.stats().budget == "spent"
        assert EventCode.LIMIT_EXCEEDED in [event.code for event in node.events]
