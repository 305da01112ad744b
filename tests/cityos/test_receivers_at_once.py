"""Several receivers on one PostgreSQL: who stores, who derives, who is who."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest

from edgenode.cityos.archive import Archive, Arrived
from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.intake import Incoming, Outcome
from edgenode.cityos.postgres import LOCKS
from edgenode.cityos.sink import Sink
from edgenode.cityos.store import SinkAway
from edgenode.errors import CityError
from edgenode.reading import Anchor, ClockSource
from edgenode.wire import Batch, decode
from tests.support.ports import until
from tests.support.sender import ARRIVAL, Sender
from tests.support.truth import differences, readings_of

NOW = Anchor(0, ARRIVAL, ClockSource.NTP, 5)


def derived(city: City) -> None:
    while city.derive():
        pass


def patiently(city: City, part: list[Incoming]) -> list[Outcome]:
    """As the receiver does it: again when PostgreSQL chose this side of a deadlock."""
    while True:
        try:
            return [receipt.outcome for receipt in city.absorb(part, 0)]
        except SinkAway:
            continue


def test_of_receivers_that_race_for_the_same_batches_one_stores_each_and_none_is_lost(
    url: str, first: Sink
) -> None:
    senders = [Sender(node=bytes([n] * 6)) for n in range(4)]
    messages = [s.birth_message() for s in senders]
    messages += [s.batch((n, n + 1), anchors=[NOW]) for n in range(60) for s in senders]
    outcomes: Counter[Outcome] = Counter()
    lock = threading.Lock()

    def receive(seed: int) -> None:
        mine = messages.copy()
        random.Random(seed).shuffle(mine)
        with Sink.open(url) as sink:
            city = City(sink, CityOptions())
            for at in range(0, len(mine), 40):
                found = patiently(city, mine[at : at + 40])
                with lock:
                    outcomes.update(found)

    threads = [threading.Thread(target=receive, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outcomes == {Outcome.STORED: 240, Outcome.DUPLICATE: 480, Outcome.NOTED: 12}
    city = City(first, CityOptions())
    city.tidy()
    derived(city)
    truth = [row for s in senders for row in readings_of(messages, s.birth) if row[0] == s.node]
    assert differences(first, truth) == (0, 0, 0)
    for s in senders:
        assert first.counters(s.node) == {"duplicate": 120}
        city._acks.touch(s.node, s.spool, 0)
    assert [ack.ranges for ack in city.acks(10_000, ARRIVAL)] == [{0: ((1, 60),)}] * 4


def test_two_copies_of_one_card_are_a_conflict_whoever_received_them(
    first: Sink, second: Sink, sender: Sender
) -> None:
    one, other = City(first, CityOptions()), City(second, CityOptions())
    assert patiently(one, [sender.batch()]) == [Outcome.STORED]
    assert patiently(other, [Sender().batch((9_000,))]) == [Outcome.CONFLICT]
    assert first.counters(sender.node)["conflict"] == 1
    assert first.db.execute("SELECT count(*) FROM conflict").fetchone()[0] == 1


def test_an_ack_tells_what_all_receivers_hold(first: Sink, second: Sink, sender: Sender) -> None:
    one, other = City(first, CityOptions()), City(second, CityOptions())
    messages = [sender.batch((n,)) for n in range(4)]
    other.absorb(messages[1:3], 0)
    one.absorb([messages[0]], 0)
    assert one.acks(0, ARRIVAL)[0].ranges == {0: ((1, 3),)}


def test_a_birth_and_a_batch_that_come_to_two_receivers_at_once_find_each_other(
    first: Sink, second: Sink, sender: Sender
) -> None:
    message = sender.batch()
    batch = decode(message.payload)
    assert isinstance(batch, Batch)
    one, other = City(first, CityOptions()), City(second, CityOptions())
    with first.transaction():
        Archive(first).store([Arrived(batch, message.payload, ARRIVAL, message.topic, known=False)])
        other.absorb([sender.birth_message()], 0)
    assert not one.derive()
    one.tidy()
    derived(one)
    assert len(list(second.readings(sender.node))) == 6


def test_one_receiver_derives_and_when_it_is_gone_another_does(
    first: Sink, second: Sink, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenode.cityos.postgres.LEAD_EVERY_S", 0)
    one, other = City(first, CityOptions()), City(second, CityOptions())
    one.absorb([sender.birth_message(), sender.batch(anchors=[NOW])], 0)
    assert first.lead()
    assert not second.lead()
    assert not other.derive()
    first.close()
    late = Anchor(1_000_000, ARRIVAL + 1_000_000, ClockSource.NTP, 1)
    other.absorb([sender.batch(anchors=[late])], 0)
    derived(other)
    assert second.lead()
    assert len(list(second.readings(sender.node))) == 12


def test_a_receiver_that_lost_the_lead_remembers_nothing_of_it(
    first: Sink, second: Sink, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An anchor that another receiver applied meanwhile is in no timeline of ours."""
    monkeypatch.setattr("edgenode.cityos.postgres.LEAD_EVERY_S", 0)
    one, other = City(first, CityOptions()), City(second, CityOptions())
    one.absorb([sender.birth_message(), sender.batch((100_000,), anchors=[NOW])], 0)
    derived(one)
    cut(second, first)
    other.absorb([sender.batch((), anchors=[Anchor(110_000, ARRIVAL + 110_000, 3, 5)])], 0)
    derived(other)
    cut(first, second)
    one.absorb([sender.batch((105_000,))], 0)
    derived(one)
    assert [(r.mono, r.err) for r in first.readings(sender.node)] == [
        (100_000, 6), (100_000, 6), (105_000, 6), (105_000, 6),
    ]  # fmt: skip


def cut(by: Sink, other: Sink) -> None:
    """End the connection of another sink, as a network does."""
    (process,) = other.db.execute("SELECT pg_backend_pid()").fetchone()
    by.db.execute("SELECT pg_terminate_backend(?, 5000)", (process,))
    with pytest.raises(SinkAway):
        other.db.execute("SELECT 1")


def test_a_lost_connection_is_made_again_and_within_a_transaction_nothing_is_half_done(
    first: Sink, second: Sink, sender: Sender
) -> None:
    def count_and_lose() -> None:
        with first.transaction():
            first.count(sender.node, "a")
            cut(second, first)
            first.count(sender.node, "b")

    with pytest.raises(SinkAway):
        count_and_lose()
    assert first.counters(sender.node) == {}
    first.count(sender.node, "c")
    assert second.counters(sender.node) == {"c": 1}


def places(sink: Sink) -> int:
    """How many receivers the server holds a place for."""
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = ? AND objid > 0"
    return int(sink.db.execute(held, (LOCKS,)).fetchone()[0])


def test_who_comes_after_a_dead_receiver_has_its_place_and_session(url: str) -> None:
    with Sink.open(url) as one, Sink.open(url) as two:
        assert one.client_id() == one.client_id()
        ids = [one.client_id(), two.client_id()]
        one.close()
        until(lambda: places(two) == 1, "the server has seen the end of the first")
        with Sink.open(url) as three, Sink.open(url) as four:
            assert three.client_id() == ids[0]
            assert four.client_id() not in ids
            with pytest.raises(CityError, match="another receiver took place 1"):
                one.db.execute("SELECT 1")


def test_of_several_receivers_one_calls_a_node_silent(
    first: Sink, second: Sink, sender: Sender
) -> None:
    cities = [City(sink, CityOptions()) for sink in (first, second)]
    cities[0].absorb([sender.state_message(3, 1, online=True)], 0)
    late = ARRIVAL + 10**6
    assert [city.fall_silent(late) for city in cities] == [[sender.node], []]
    assert first.counters(sender.node) == {"silent": 1}
