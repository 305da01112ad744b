"""What exporters read from the sink."""

from __future__ import annotations

import pytest

from edgenode.cityos import outbox
from edgenode.cityos.city import City
from edgenode.cityos.intake import Incoming
from edgenode.cityos.outbox import Backlog, Outbox, backlogs
from edgenode.cityos.sink import Sink
from edgenode.errors import CityError
from edgenode.reading import Anchor, ClockSource, Kind, Quality
from edgenode.wire import Flag
from tests.support.sender import ARRIVAL, Sender

NOW = Anchor(0, ARRIVAL - 60_000, ClockSource.NTP, 5)


def take(city: City, *messages: Incoming) -> None:
    city.absorb(messages, 0)
    while city.derive():
        pass


def test_a_reading_carries_all_that_another_system_asks_for(
    city: City, sink: Sink, sender: Sender
) -> None:
    flags = [Flag(1, 0, 1, Quality.MISSING)]
    take(city, sender.birth_message(), sender.batch((1_000,), anchors=[NOW], flags=flags))
    page = Outbox(sink, "lines").read()
    when, common = ARRIVAL - 59_000, (sender.node, sender.spool, 0)
    assert [reading[1:] for reading in page.readings] == [
        (*common, 0, "air/temperature", "Cel", "", Kind.GAUGE, when, 6, 20.0, Quality.OK, 3),
        (*common, 1, "air/humidity", "%RH", "", Kind.GAUGE, when, 6, None, Quality.MISSING, 3),
    ]
    assert (page.readings[0].sensor, page.readings[0].quantity) == ("air", "temperature")


def test_what_was_not_committed_is_read_again_and_what_was_is_not(
    city: City, sink: Sink, sender: Sender
) -> None:
    take(city, sender.birth_message(), *(sender.batch((n,), anchors=[NOW]) for n in range(3)))
    box = Outbox(sink, "lines")
    first = box.read(batches=2)
    assert box.read(batches=2) == first
    box.commit(first.position)
    rest = Outbox(sink, "lines").read()
    assert [r.ordinal for r in (*first.readings, *rest.readings)] == [0, 1, 2, 3, 4, 5]
    box.commit(rest.position)
    assert Outbox(sink, "lines").read() == ([], 0, 0)


def test_each_exporter_has_a_cursor_of_its_own_that_only_goes_forward(
    city: City, sink: Sink, sender: Sender
) -> None:
    take(city, sender.birth_message(), *(sender.batch((n,), anchors=[NOW]) for n in range(3)))
    fast, slow = Outbox(sink, "fast"), Outbox(sink, "slow")
    slow.commit(slow.read(batches=1).position)
    fast.commit(fast.read().position)
    fast.commit(1)
    assert [(b.exporter, b.waiting) for b in backlogs(sink)] == [("fast", 0), ("slow", 2)]
    assert len(slow.read().readings) == 4
    slow.forget()
    assert [b.exporter for b in backlogs(sink)] == ["fast"]


def test_a_reading_waits_for_its_time_and_comes_once(
    city: City, sink: Sink, sender: Sender
) -> None:
    box = Outbox(sink, "lines")
    take(city, sender.birth_message(), sender.batch((1_000,)))
    assert box.read().readings == []
    take(city, sender.batch((), anchors=[Anchor(61_000, ARRIVAL, ClockSource.NTP, 4)]))
    page = box.read()
    assert [(r.utc_ms, r.err_ms) for r in page.readings] == [(ARRIVAL - 60_000, 7)] * 2
    box.commit(page.position)
    take(city, sender.batch((), anchors=[Anchor(2_000, ARRIVAL - 59_000, ClockSource.NTP, 1)]))
    assert [r.err for r in sink.readings(sender.node)] == [2, 2], "the tables have the better time"
    assert box.read().readings == []


def test_what_every_exporter_has_read_is_not_kept(city: City, sink: Sink, sender: Sender) -> None:
    take(city, sender.birth_message(), *(sender.batch((n,), anchors=[NOW]) for n in range(3)))
    one, other = Outbox(sink, "one"), Outbox(sink, "other")
    one.commit(one.read(batches=1).position)
    other.commit(other.read().position)
    assert sink.db.execute("SELECT count(*) FROM outbox").fetchone()[0] == 2


def test_an_exporter_that_was_away_too_long_is_told_how_much_it_missed(
    city: City, sink: Sink, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MAX_BATCHES", 4)
    monkeypatch.setattr(outbox, "PRUNE_EVERY", 1)
    take(city, sender.birth_message(), sender.batch((0,), anchors=[NOW]))
    box = Outbox(sink, "lines")
    first = box.read().position
    box.commit(first)
    take(city, *(sender.batch((n,), anchors=[NOW]) for n in range(1, 10)))
    page = box.read()
    assert len({r.position for r in page.readings}) == 4
    assert page.lost == 5
    assert backlogs(sink) == [Backlog("lines", first, 4)]
    box.commit(page.position)
    assert box.read() == ([], 0, 0)


@pytest.mark.parametrize("name", ["", "Lines", "a b", "-a", "a" * 64])
def test_a_name_that_is_none_is_refused(sink: Sink, name: str) -> None:
    with pytest.raises(CityError, match="name of an exporter"):
        Outbox(sink, name)
