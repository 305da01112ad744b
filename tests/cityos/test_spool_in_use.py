"""Which of a node's spools counts: a disk fails and comes back, old cards are carried home."""

from __future__ import annotations

import io

import pytest

from edgenode.cityos import bulk, durable
from edgenode.cityos.city import City
from edgenode.cityos.operate.nodes import fleet
from edgenode.cityos.sink import Sink
from edgenode.reading import EventCode
from edgenode.wire import WireEvent
from tests.support.operated import T0, Fielded, take
from tests.support.sender import ARRIVAL, PREFIX, Sender

NODE = "a1b2c3d4e5f6"
AIR = 7 * 256 + 255  # the whole sensor


@pytest.fixture
def memory() -> Sender:
    """The same node at the start at which its disk could not be used."""
    return Sender(spool=b"volatile")


def in_use(sink: Sink, sender: Sender) -> bytes | None:
    return durable.spool_in_use(sink.db, sender.node)


@pytest.fixture
def returned(city: City, sender: Sender, memory: Sender) -> None:
    """It ran on its disk, then without it, and now again on its disk."""
    for at, message in enumerate(
        [
            sender.state_message(3, 10, online=True),
            sender.state_message(3, 10, online=False),
            memory.state_message(3, 20, online=True),
            memory.state_message(3, 20, online=False),
            sender.state_message(3, 30, online=True),
        ]
    ):
        city.absorb([message._replace(arrival=ARRIVAL + at)], 0)


@pytest.mark.usefixtures("returned")
def test_a_node_that_returned_to_its_disk_is_as_it_says_now(sink: Sink, sender: Sender) -> None:
    assert sink.presence(sender.node).state == "online"
    assert in_use(sink, sender) == sender.spool


def test_its_troubles_its_backlog_and_its_health_are_of_the_disks_spool(
    city: City, sink: Sink
) -> None:
    disk, memory = Fielded(NODE), Fielded(NODE, b"volatile")
    take(city, disk.state(0, 10, online=True), disk.birth(), disk.health(1_000, 2, 4_000, 90))
    degraded = WireEvent(10_000, None, EventCode.SPOOL_DEGRADED, 2)
    take(city, memory.state(9_000, 9_000, online=True), memory.tell(degraded))
    take(city, memory.health(11_000, 9, 4_000, 90))
    memory.lose(40, batches=20)
    take(city, memory.batch((12_000,), ((1,), (1,))))
    [one] = fleet(sink, T0 + 60_000)
    assert (len(one.conditions), one.backlog, one.wear.card_life_used) == (1, 20, 90)
    take(city, disk.state(20_000, 20_000, online=True))
    take(city, disk.tell(WireEvent(21_000, AIR, EventCode.SENSOR_LOST, 1)))
    [one] = fleet(sink, T0 + 60_000)
    assert [x.code for x in one.conditions] == [EventCode.SENSOR_LOST]
    assert (one.backlog, one.wear.card_life_used) == (0, 20)


@pytest.mark.usefixtures("returned")
def test_a_late_will_of_the_connection_before_brings_no_spool_back(
    city: City, sink: Sink, sender: Sender, memory: Sender
) -> None:
    city.absorb([memory.state_message(3, 40, online=True, arrival=ARRIVAL + 10)], 0)
    city.absorb([sender.state_message(3, 50, online=True, arrival=ARRIVAL + 20)], 0)
    city.absorb([memory.state_message(3, 40, online=False, arrival=ARRIVAL + 90_000)], 0)
    assert in_use(sink, sender) == sender.spool
    assert sink.presence(sender.node).state == "online"


@pytest.mark.usefixtures("returned")
def test_a_state_that_a_broker_brings_again_is_no_new_connection(
    city: City, sink: Sink, sender: Sender, memory: Sender
) -> None:
    for online in (True, False):
        again = memory.state_message(3, 20, online=online, arrival=ARRIVAL + 90_000)
        city.absorb([again._replace(retained=True)], 0)
    assert in_use(sink, sender) == sender.spool


@pytest.mark.usefixtures("returned")
def test_the_batches_of_another_spool_that_is_drained_decide_nothing(
    city: City, sink: Sink, sender: Sender, memory: Sender
) -> None:
    city.absorb([memory.batch(arrival=ARRIVAL + 90_000)], 0)
    assert in_use(sink, sender) == sender.spool


def test_what_an_old_card_held_and_came_as_a_file_is_not_in_use(
    city: City, sink: Sink, sender: Sender
) -> None:
    city.absorb([sender.state_message(3, 30, online=True), sender.batch()], 0)
    card = Sender(spool=b"old-card")
    file = io.BytesIO(card.birth_message().payload + card.batch().payload)
    bulk.bring(city, file, PREFIX, 0, ARRIVAL + 90_000)
    assert sink.spools(sender.node) == [sender.spool, card.spool]
    assert in_use(sink, sender) == sender.spool
    assert sink.presence(sender.node).state == "online"


def test_of_spools_without_any_state_the_last_to_come_is_in_use(
    city: City, sink: Sink, sender: Sender, memory: Sender
) -> None:
    assert in_use(sink, sender) is None
    city.absorb([sender.batch(), memory.batch()], 0)
    assert in_use(sink, sender) == memory.spool
    assert durable.spools_in_use(sink.db) == {sender.node: memory.spool}


def test_connections_that_are_heard_at_once_count_in_the_order_they_came_in(
    city: City, sink: Sink, sender: Sender, memory: Sender
) -> None:
    """A receiver that was away gets hours of states within a millisecond."""
    before, after = (sender.state_message(3, at, online=True) for at in (10, 30))
    city.absorb([before, memory.state_message(3, 20, online=True), after], 0)
    assert in_use(sink, sender) == sender.spool
    city.absorb([memory.state_message(3, 40, online=True)], 0)
    city.absorb([sender.state_message(3, 50, online=True)], 0)
    assert in_use(sink, sender) == sender.spool


def test_a_receiver_whose_clock_was_set_back_hears_the_last_connection_all_the_same(
    city: City, sink: Sink, sender: Sender, memory: Sender
) -> None:
    city.absorb([memory.state_message(3, 20, online=True, arrival=ARRIVAL + 10**9)], 0)
    city.absorb([sender.state_message(3, 30, online=True)], 0)
    assert in_use(sink, sender) == sender.spool
