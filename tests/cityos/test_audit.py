from __future__ import annotations

from edgenode.cityos.audit import ClockShare, Latency, StreamAudit, audit
from edgenode.cityos.city import City
from edgenode.cityos.intake import Incoming
from edgenode.cityos.sink import Sink
from edgenode.reading import Anchor, ClockSource
from edgenode.wire import Loss, LossReason
from tests.support.sender import ARRIVAL, Sender


def take(city: City, *messages: Incoming) -> None:
    city.absorb(messages, 0)
    while city.derive():
        pass


def only(sink: Sink, sender: Sender) -> StreamAudit:
    [stream] = audit(sink, sender.node).streams
    return stream


def test_what_arrived_without_a_gap_is_well(city: City, sink: Sink, sender: Sender) -> None:
    take(city, sender.birth_message(), sender.batch(), sender.batch())
    stream = only(sink, sender)
    assert (stream.batches, stream.received, stream.expected) == (2, 12, 12)
    assert (stream.lost, stream.held, stream.unexplained, stream.repeated) == ({}, 0, 0, 0)
    assert audit(sink, sender.node).well


def test_a_loss_record_explains_what_is_missing_and_the_union_counts_once(
    city: City, sink: Sink, sender: Sender
) -> None:
    take(city, sender.birth_message(), sender.batch())
    sender.skip(20, batches=2)
    part = Loss(0, 6, 10, LossReason.DISK_FULL, 2, 1)
    whole = Loss(0, 6, 16, LossReason.DISK_FULL, 2, 2)
    ring = Loss(0, 22, 4, LossReason.RING_OVERFLOW, 0, 0)
    take(
        city,
        sender.batch(losses=[part], held=4),
        sender.batch(losses=[whole, ring], held=4),
        sender.batch(losses=[whole], held=4),
    )
    stream = only(sink, sender)
    assert (stream.received, stream.expected) == (24, 44)
    assert stream.lost == {"disk-full": 16, "ring-overflow": 4}
    assert (stream.held, stream.unexplained) == (0, 0)
    assert audit(sink, sender.node).well


def test_a_loss_of_readings_that_arrived_after_all_counts_nothing(
    city: City, sink: Sink, sender: Sender
) -> None:
    loss = Loss(0, 0, 6, LossReason.TTL, 1, 1)
    take(city, sender.birth_message(), sender.batch(), sender.batch(losses=[loss], held=2))
    assert only(sink, sender).lost == {"ttl": 0}


def test_a_gap_that_the_node_still_holds_will_come(city: City, sink: Sink, sender: Sender) -> None:
    first, late, third = sender.batch(), sender.batch(), sender.batch()
    take(city, sender.birth_message(), first, third)
    assert (only(sink, sender).held, only(sink, sender).unexplained) == (6, 0)
    take(city, late)
    assert (only(sink, sender).held, only(sink, sender).expected) == (0, 18)


def test_a_gap_that_nobody_explains_is_not_well(city: City, sink: Sink, sender: Sender) -> None:
    take(city, sender.birth_message(), sender.batch())
    sender.skip(5)
    take(city, sender.batch(held=3))
    stream = only(sink, sender)
    assert (stream.unexplained, stream.unexplained_ranges) == (5, ((6, 10),))
    assert not audit(sink, sender.node).well


def test_ordinals_that_are_missing_between_neighbours_are_not_held_by_anyone(
    city: City, sink: Sink, sender: Sender
) -> None:
    take(city, sender.birth_message(), sender.batch())
    sender.skip(5, batches=0)
    take(city, sender.batch(held=1))
    assert (only(sink, sender).held, only(sink, sender).unexplained) == (0, 5)


def test_a_batch_without_readings_tells_the_next_ordinal(
    city: City, sink: Sink, sender: Sender
) -> None:
    take(city, sender.birth_message(), sender.batch())
    sender.skip(5)
    take(city, sender.batch((), held=3))
    assert only(sink, sender).expected == 11


def test_ordinals_in_two_batches_are_repeated(city: City, sink: Sink, sender: Sender) -> None:
    take(city, sender.birth_message(), sender.batch())
    sender.skip(-6, batches=0)
    take(city, sender.batch())
    assert only(sink, sender).repeated == 6
    assert not audit(sink, sender.node).well


def test_before_the_birth_the_next_batch_tells_how_many_readings_came(
    city: City, sink: Sink, sender: Sender
) -> None:
    take(city, sender.batch(), sender.batch(), sender.batch())
    stream = only(sink, sender)
    assert (stream.received, stream.expected, stream.waiting, stream.unexplained) == (12, 12, 3, 0)


def test_streams_and_spools_are_accounted_apart(city: City, sink: Sink, sender: Sender) -> None:
    other = Sender(spool=b"spool--2")
    take(city, sender.batch(), sender.batch(stream=1), other.batch())
    found = [(s.spool, s.stream) for s in audit(sink, sender.node).streams]
    assert found == [(sender.spool, 0), (sender.spool, 1), (other.spool, 0)]


def test_duplicates_conflicts_and_refusals_are_counted(
    city: City, sink: Sink, sender: Sender
) -> None:
    first, clone = sender.batch(), Sender().batch((77,))
    take(city, first, first, clone, first._replace(payload=b"?"))
    told = audit(sink, sender.node)
    assert (told.duplicates, told.conflicts, told.refused) == (1, 1, 1)
    assert [text.split(":")[0] for text in told.alarms] == ["conflict", "bytes"]
    assert not told.well


def test_latency_and_clocks_are_told_for_what_has_a_time(
    city: City, sink: Sink, sender: Sender
) -> None:
    anchor = Anchor(0, ARRIVAL - 10_000, ClockSource.NTP, 5)
    take(
        city,
        sender.birth_message(),
        sender.batch((1_000, 2_000), anchors=[anchor]),
        sender.batch((9_000,), anchors=[anchor], arrival=ARRIVAL + 500),
        sender.batch((5_000,), epoch=4),
    )
    told = audit(sink, sender.node)
    assert told.latency == Latency(2, 1_500, 1_500, 1_500, 8_000)
    assert told.clocks == {"none": ClockShare(1, None), "ntp": ClockShare(3, 6)}


def test_a_node_of_which_nothing_is_known_has_no_streams(sink: Sink, sender: Sender) -> None:
    told = audit(sink, sender.node)
    assert (told.streams, told.presence, told.latency) == ((), "unknown", None)
