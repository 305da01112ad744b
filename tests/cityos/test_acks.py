from __future__ import annotations

import pytest

from edgenode.cityos import acks
from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.intake import Incoming
from edgenode.cityos.sink import Sink
from edgenode.wire import MAX_BYTES, Ack, Loss, LossReason, decode, encode
from tests.support.sender import ARRIVAL, Sender


@pytest.fixture(autouse=True)
def known(city: City, sender: Sender) -> None:
    """The birth came first, as it should; another node's below did not."""
    city.absorb([sender.birth_message()], 0)


def many(sender: Sender, count: int) -> list[Incoming]:
    return [sender.batch((n,)) for n in range(count)]


def one(city: City, now: int) -> Ack:
    """The only ack that is due."""
    [ack] = city.acks(now, ARRIVAL)
    assert decode(encode(ack)) == ack
    return ack


def test_an_ack_lists_every_stream_of_the_spool_whole(city: City, sender: Sender) -> None:
    first, second, third, fourth = many(sender, 4)
    city.absorb([first, second, fourth, sender.batch((5,), stream=2)], 0)
    assert one(city, 0).ranges == {0: ((1, 2), (4, 4)), 2: ((1, 1),)}
    city.absorb([third], 1)
    assert one(city, 1_000).ranges == {0: ((1, 4),), 2: ((1, 1),)}


def test_an_ack_begins_at_the_lowest_seq_the_node_still_holds(city: City, sender: Sender) -> None:
    city.absorb([*many(sender, 5), sender.batch(held=4)], 0)
    assert one(city, 0).ranges == {0: ((4, 6),)}


def test_without_key_13_an_ack_begins_at_one(city: City, sender: Sender) -> None:
    city.absorb([sender.batch(held=None), sender.batch(held=None)], 0)
    assert one(city, 0).ranges == {0: ((1, 2),)}


def test_a_key_13_beyond_its_own_seq_never_empties_an_ack(city: City, sender: Sender) -> None:
    city.absorb([sender.batch(held=900)], 0)
    assert one(city, 0).ranges == {0: ((1, 1),)}


def test_a_node_gets_at_most_one_ack_a_second(city: City, sender: Sender) -> None:
    told = []
    for now in range(0, 5_000, 100):
        city.absorb([sender.batch((now,))], now)
        told += [now for _ in city.acks(now, ARRIVAL)]
    assert told == [0, 1_000, 2_000, 3_000, 4_000]
    assert city.next_due() == 5_000


def test_nodes_do_not_wait_for_one_another(city: City, sender: Sender) -> None:
    other = Sender(node=bytes(6))
    city.absorb([sender.batch(), other.batch()], 0)
    assert {ack.node for ack in city.acks(0, ARRIVAL)} == {sender.node, other.node}


def test_a_duplicate_is_acknowledged_again(city: City, sender: Sender) -> None:
    message = sender.batch()
    city.absorb([message], 0)
    first = one(city, 0)
    assert city.acks(50_000, ARRIVAL) == []
    city.absorb([message], 50_000)
    assert one(city, 50_000) == first


def test_a_gap_is_asked_for_after_five_seconds_and_then_less_and_less_often(
    city: City, sender: Sender
) -> None:
    first, _, _, fourth = many(sender, 4)
    city.absorb([first, fourth], 0)
    asked = []
    for now in range(0, 100_000, 500):
        asked += [(now, ack.resend) for ack in city.acks(now, ARRIVAL) if ack.resend]
    assert asked == [(at, ((0, 2, 3),)) for at in (5_000, 15_000, 35_000, 75_000)]


def test_a_gap_that_is_being_filled_is_not_asked_for(city: City, sender: Sender) -> None:
    """A backlog arrives oldest first, behind live batches: that is no gap to complain of."""
    messages = many(sender, 12)
    city.absorb([messages[0], messages[-1]], 0)
    for n, message in enumerate(messages[1:-1]):
        now = 4_000 * (n + 1)
        city.absorb([message], now)
        assert one(city, now).resend == ()
    assert city.acks(10**6, ARRIVAL) == []


def test_what_is_below_key_13_or_lost_is_not_asked_for(city: City, sender: Sender) -> None:
    sender.skip(2)
    city.absorb([sender.batch(held=2)], 0)
    sender.skip(2)
    lost = Loss(0, 4, 2, LossReason.DISK_FULL, 3, 1)
    city.absorb([sender.batch(held=2, losses=[lost])], 0)
    assert one(city, 0).ranges == {0: ((2, 2), (4, 4))}
    assert city.acks(10**6, ARRIVAL) == []


def test_a_gap_at_the_bottom_that_the_node_still_holds_is_asked_for(
    city: City, sender: Sender
) -> None:
    sender.skip(6, batches=3)
    city.absorb([sender.batch(held=2)], 0)
    assert one(city, 0).resend == ()
    assert one(city, 5_000).resend == ((0, 2, 3),)


def test_a_birth_that_did_not_come_is_asked_for_until_it_does(city: City) -> None:
    other = Sender(node=bytes(6))
    city.absorb([other.batch()], 0)
    assert one(city, 0).births == ()
    assert one(city, 5_000).births == (other.schema,)
    assert city.acks(14_999, ARRIVAL) == []
    assert one(city, 15_000).births == (other.schema,)
    city.absorb([other.birth_message()], 16_000)
    assert all(ack.births == () for ack in city.acks(10**6, ARRIVAL))
    assert city.acks(10**7, ARRIVAL) == []


def test_the_ack_that_stays_retained_is_of_the_spool_in_use(city: City, sender: Sender) -> None:
    newer = Sender(spool=b"spool--2")
    old = [sender.batch((n,)) for n in range(3)]
    city.absorb([old[0], newer.batch()], 0)
    assert [one(city, now).spool for now in (0, 1_000)] == [sender.spool, newer.spool]
    city.absorb([old[1]], 5_000)
    assert [one(city, now).spool for now in (5_000, 6_000)] == [sender.spool, newer.spool]
    city.absorb([sender.state_message(3, 9, online=True), newer.batch()], 10_000)
    assert [one(city, now).spool for now in (10_000, 11_000)] == [newer.spool, sender.spool]
    assert city.acks(10**6, ARRIVAL) == []


def test_of_a_spool_in_use_that_has_sent_no_batch_no_ack_is_told(
    city: City, sender: Sender
) -> None:
    newer = Sender(spool=b"spool--2")
    city.absorb([sender.batch(), newer.state_message(3, 9, online=True)], 0)
    assert one(city, 0).spool == sender.spool
    assert city.acks(10**6, ARRIVAL) == []


def test_after_a_crash_the_last_acks_are_told_again(city: City, sink: Sink, sender: Sender) -> None:
    city.absorb([sender.batch()], 0)
    again = City(sink, CityOptions())
    assert again.acks(10**6, ARRIVAL) == []
    again.resume(0, ARRIVAL + 1_000)
    assert one(again, 0).ranges == {0: ((1, 1),)}
    late = City(sink, CityOptions())
    late.resume(0, ARRIVAL + 2 * acks.RECENT_MS)
    assert late.acks(10**6, ARRIVAL) == []


def test_the_queue_of_acks_does_not_grow_with_traffic(city: City, sender: Sender) -> None:
    sender.skip(2)
    for now in range(0, 120_000, 500):
        city.absorb([sender.batch((now,))], now)
        city.acks(now, ARRIVAL)
    assert len(city._acks._queue) <= acks.SLACK + 2


def test_an_ack_with_very_many_gaps_still_fits_a_message(city: City, sender: Sender) -> None:
    for stream in (0, 1):
        messages = []
        for _ in range(6_000):
            messages.append(sender.batch((), stream=stream))
            sender.skip(0, batches=1, stream=stream)
        city.absorb(messages, 0)
    ack = one(city, 0)
    assert len(encode(ack)) < MAX_BYTES
    assert {stream: len(ranges) for stream, ranges in ack.ranges.items()} == {0: 4_096, 1: 4_096}
    assert len(one(city, 5_000).resend) == acks.MAX_RESEND
