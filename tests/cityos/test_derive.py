from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.derive import Deriver
from edgenode.cityos.intake import Incoming
from edgenode.cityos.schema import Work
from edgenode.cityos.sink import EventRow, ReadingRow, Sink
from edgenode.cityos.timing import Timeline
from edgenode.reading import Anchor, ClockSource, EventCode, Quality
from edgenode.wire import Batch, Birth, Flag, Previous, Rows, WireEvent, encode, schema_of
from tests.support.postgres import emptied
from tests.support.sender import GROUPS, Sender

START = 1_795_000_000_000


def feed(city: City, messages: Sequence[Incoming]) -> None:
    """One message at a time, with all that can be derived from it."""
    for message in messages:
        city.absorb([message], 0)
        while city.derive():
            pass


def content(sink: Sink, node: bytes) -> tuple[list[ReadingRow], list[EventRow]]:
    return list(sink.readings(node)), list(sink.events(node))


def test_rows_wait_for_their_birth_and_the_raw_bytes_do_not(
    city: City, sink: Sink, sender: Sender
) -> None:
    feed(city, [sender.batch()])
    assert list(sink.readings(sender.node)) == []
    assert city.acks(10_000, START)[0].ranges == {0: ((1, 1),)}
    feed(city, [sender.birth_message()])
    assert len(list(sink.readings(sender.node))) == 6


def test_a_reading_has_its_name_value_ordinal_and_time(
    city: City, sink: Sink, sender: Sender
) -> None:
    anchor = Anchor(1_000, START, ClockSource.NTP, 5)
    feed(city, [sender.birth_message(), sender.batch((1_000, 2_010), anchors=[anchor])])
    found = [
        (r.ordinal, r.mono, r.channel, r.value, r.unit, r.utc, r.err)
        for r in sink.readings(sender.node)
    ]
    assert found == [
        (0, 1_000, "air/temperature", 20.0, "Cel", START, 5),
        (1, 1_000, "air/humidity", 50.6, "%RH", START, 5),
        (2, 2_010, "air/temperature", 20.1, "Cel", START + 1_010, 6),
        (3, 2_010, "air/humidity", 50.1, "%RH", START + 1_010, 6),
    ]


def test_where_the_quality_says_there_is_no_number_there_is_none(
    city: City, sink: Sink, sender: Sender
) -> None:
    flags = [Flag(0, 1, 1, Quality.MISSING), Flag(1, 2, 1, Quality.CLAMPED), Flag(1, 0, 1, 200)]
    feed(city, [sender.birth_message(), sender.batch(flags=flags)])
    found = [(r.value is None, r.quality) for r in sink.readings(sender.node)]
    assert found == [
        (False, 0), (True, 200), (True, Quality.MISSING), (False, 0),
        (False, 0), (False, Quality.CLAMPED),
    ]  # fmt: skip


def test_events_follow_the_readings_and_name_what_they_are_about(
    city: City, sink: Sink, sender: Sender
) -> None:
    events = [
        WireEvent(5, None, EventCode.BOOT, 1),
        WireEvent(6, 7 * 256 + 255, EventCode.SENSOR_LOST, 4),
        WireEvent(7, 9 * 256, EventCode.COUNTER_RESET, (5, 0, 100, 1)),
    ]
    feed(city, [sender.birth_message(), sender.batch((), stream=1, events=events)])
    found = [(e.ordinal, e.mono, e.channel, e.code, e.value) for e in sink.events(sender.node)]
    assert found == [
        (0, 5, None, EventCode.BOOT, "1"),
        (1, 6, "air/*", EventCode.SENSOR_LOST, "4"),
        (2, 7, "rain/depth", EventCode.COUNTER_RESET, "[5, 0, 100, 1]"),
    ]


def faults(sink: Sink) -> list[tuple[int, str]]:
    return sink.db.execute("SELECT work, fault FROM raw WHERE fault IS NOT NULL").fetchall()


def test_a_batch_that_contradicts_its_birth_is_durable_and_named(
    city: City, sink: Sink, sender: Sender
) -> None:
    other = Birth(sender.node, {8: GROUPS[7]})
    batch = Batch(
        sender.node, 3, 1, 0, schema_of(other.groups), 0, sender.spool,
        groups=(Rows(8, 0, (1,), ([1], [2])),),
    )  # fmt: skip
    data = encode(batch, other).replace(schema_of(other.groups), sender.schema)
    good = sender.batch()._replace(payload=data)
    feed(city, [sender.birth_message(), good])
    [(work, fault)] = faults(sink)
    assert work == Work.FAULTY
    assert "gid 8" in fault
    assert sink.counters(sender.node)["faulty"] == 1
    assert city.acks(10_000, START)[0].ranges == {0: ((1, 1),)}


def test_bytes_that_were_damaged_at_rest_are_noticed(
    city: City, sink: Sink, sender: Sender
) -> None:
    city.absorb([sender.birth_message(), sender.batch()], 0)
    (data,) = sink.db.execute("SELECT bytes FROM raw").fetchone()
    sink.db.execute("UPDATE raw SET bytes = ?", (data + b"\0",))
    assert city.derive()
    [(work, fault)] = faults(sink)
    assert work == Work.FAULTY
    assert "CRC" in fault


def test_an_unsynced_boot_is_timed_when_an_anchor_comes_later(
    city: City, sink: Sink, sender: Sender
) -> None:
    feed(city, [sender.birth_message(), sender.batch((1_000,))])
    assert [r.utc for r in sink.readings(sender.node)] == [None, None]
    late = Anchor(61_000, START + 60_000, ClockSource.NTP, 4)
    feed(city, [sender.batch((), anchors=[late])])
    assert [(r.utc, r.err) for r in sink.readings(sender.node)] == [(START, 7), (START, 7)]


def test_a_new_anchor_leaves_the_bytes_and_values_alone_and_touches_only_what_it_changes(
    city: City, sink: Sink, sender: Sender
) -> None:
    anchors = [Anchor(n * 600_000, START + n * 600_000, ClockSource.NTP, 5) for n in range(4)]
    feed(city, [sender.birth_message()])
    for n in range(3):
        feed(city, [sender.batch((n * 600_000 + 1_000,), anchors=anchors[: n + 1])])
    city.absorb([sender.batch((), anchors=anchors)], 0)
    city._deriver._retiming.spread()
    stale = [row[0] for row in sink.db.execute("SELECT seq FROM raw WHERE work = 2")]
    assert stale == [3]


def test_two_unsynced_boots_in_one_outage_lie_between_the_boots_around_them(
    city: City, sink: Sink, sender: Sender
) -> None:
    end = Previous(5, 90_000, START + 90_000, 50)
    feed(city, [
        sender.birth_message(),
        sender.batch((1_000,), epoch=5, anchors=[Anchor(0, START, ClockSource.NTP, 5)]),
        sender.batch((1_000,), epoch=6, previous=end),
        sender.batch((2_000,), epoch=7),
    ])  # fmt: skip
    bounds = {r.epoch: (r.earliest, r.latest) for r in sink.readings(sender.node) if not r.utc}
    assert bounds == {6: (START + 89_950, None), 7: (START + 89_950, None)}
    synced = Anchor(8_000, START + 9_000_000, ClockSource.NTP, 40)
    feed(city, [sender.batch((3_000,), epoch=8, anchors=[synced])])
    bounds = {r.epoch: (r.earliest, r.latest) for r in sink.readings(sender.node) if not r.utc}
    expected = (START + 89_950, START + 9_000_040)
    assert bounds == {6: expected, 7: expected}


def test_without_key_15_the_last_anchor_of_the_boot_before_is_the_bound(
    city: City, sink: Sink, sender: Sender
) -> None:
    anchors = [Anchor(n, START + n, ClockSource.NTP, 5) for n in (0, 700_000)]
    feed(city, [
        sender.birth_message(),
        sender.batch((1_000,), epoch=5, anchors=anchors),
        sender.batch((1_000,), epoch=6),
    ])  # fmt: skip
    assert {r.earliest for r in sink.readings(sender.node) if r.epoch == 6} == {START + 699_995}


def test_the_anchors_of_another_spool_with_the_same_epoch_are_not_used(
    city: City, sink: Sink, sender: Sender
) -> None:
    """A new card counts its epochs from the start: the same number is another boot."""
    other = Sender(spool=b"spool--2")
    anchor = Anchor(0, START, ClockSource.NTP, 5)
    feed(city, [sender.birth_message(), sender.batch(anchors=[anchor]), other.batch()])
    assert {r.spool for r in sink.readings(sender.node) if r.utc is None} == {other.spool}


# A history of boots, each with batches and anchors, some unsynced, some anchors lying.
anchors_of = st.lists(
    st.builds(
        lambda t, off, source, err: Anchor(t, START + t + off, source, err),
        st.integers(0, 20).map(lambda n: n * 300_000),
        st.sampled_from([0, 0, 0, 40, -70_000]),
        st.sampled_from([ClockSource.NTP, ClockSource.NTP, ClockSource.RTC, ClockSource.NONE]),
        st.integers(0, 100),
    ),
    max_size=3,
    unique_by=lambda a: a.mono,
)
batches = st.tuples(
    st.integers(0, 4),
    st.lists(st.integers(0, 6_000_000), min_size=1, max_size=4).map(sorted),
    anchors_of,
    st.booleans(),
)


def shifted(anchors: list[Anchor], epoch: int) -> list[Anchor]:
    return [a._replace(utc=a.utc + epoch * 10_000_000) for a in anchors]


def history(plan: list[tuple[int, list[int], list[Anchor], bool]]) -> list[Incoming]:
    sender = Sender()
    messages = [sender.birth_message()]
    for epoch, times, anchors, told in sorted(plan, key=lambda item: item[0]):
        end = Previous(epoch - 1, 7_000_000, START + epoch * 10_000_000, 9) if epoch else None
        messages.append(
            sender.batch(times, epoch=epoch, anchors=shifted(anchors, epoch),
                         previous=end if told else None)
        )  # fmt: skip
    return messages


def hold_against_scratch(
    sink: Sink, plan: list[tuple[int, list[int], list[Anchor], bool]], order: random.Random
) -> None:
    """Feed a history in some order and hold its rows against those of a derivation from scratch."""
    messages = history(plan)
    node = Sender().node
    order.shuffle(messages)
    feed(City(sink, CityOptions()), messages)
    grown = content(sink, node)
    deriver = Deriver(sink)
    deriver.again(node)
    assert list(sink.readings(node)) == []
    deriver.run()
    assert content(sink, node) == grown
    assert len(grown[0]) == 2 * sum(len(times) for _, times, _, _ in plan)
    for row in grown[0]:
        told = Timeline(sink.anchors(node, row.spool, row.epoch)).at(row.mono)
        assert (row.utc, row.err) == (told.utc, told.err)


@settings(deadline=None, max_examples=60)
@given(st.lists(batches, min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_in_any_order_of_arrival_the_rows_are_those_of_a_derivation_from_scratch(
    plan: list[tuple[int, list[int], list[Anchor], bool]], order: random.Random
) -> None:
    with TemporaryDirectory() as folder, Sink.open(Path(folder) / "city.db") as sink:
        sink.db.execute("PRAGMA synchronous = OFF")
        hold_against_scratch(sink, plan, order)


@settings(deadline=None, max_examples=30)
@given(st.lists(batches, min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_the_same_holds_in_postgresql(
    shared: str, plan: list[tuple[int, list[int], list[Anchor], bool]], order: random.Random
) -> None:
    with Sink.open(shared) as sink:
        hold_against_scratch(emptied(sink), plan, order)
