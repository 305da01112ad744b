"""A mark is sealed at once, and how far its batch has come can be asked at any time."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenode.reading import Event, EventCode, Stream
from edgenode.spool import Spool
from edgenode.wire import Ack
from tests.support.clock import FakeClock
from tests.support.spools import NODE, drained, opened, unpacked

EVENTS = int(Stream.EVENTS)
MINUTE = 60_000


def mark(spool: Spool, clock: FakeClock) -> int:
    least = spool.next_seq(Stream.EVENTS)
    spool.event(clock.boot_ms(), None, Event(EventCode.MARKED))
    return least


def sent(spool: Spool, clock: FakeClock) -> int:
    """Return the seq of a mark that was sealed and handed to a session."""
    seq = mark(spool, clock)
    clock.advance(100)
    spool.step()
    [sealed] = drained(spool.outbox, live=True)
    assert (sealed.stream, sealed.seq, sealed.alarm) == (EVENTS, seq, False)
    [batch] = unpacked(spool.outbox, [sealed])
    assert [event.code for event in batch.events] == [EventCode.MARKED]
    return seq


@pytest.mark.parametrize(("custody", "after"), [("city", "broker"), ("broker", "city")])
def test_a_mark_is_sealed_at_once_and_followed_to_the_end_of_custody(
    tmp_path: Path, clock: FakeClock, custody: str, after: str
) -> None:
    spool = opened(tmp_path, clock, custody=custody)
    spool.outbox.begin_session()
    spool.step()
    assert spool.outbox.reached(EVENTS, mark(spool, clock)) == "open"
    clock.advance(100)
    spool.step()
    drained(spool.outbox, live=True)
    clock.advance(MINUTE)
    seq = sent(spool, clock)
    assert spool.outbox.reached(EVENTS, seq) == "sealed"
    spool.outbox.broker_acked(EVENTS, seq)
    assert spool.outbox.reached(EVENTS, seq) == after
    spool.settle()  # what was in memory is in the store
    assert spool.outbox.reached(EVENTS, seq) == after
    if custody == "city":
        spool.outbox.city_acked(Ack(NODE, spool.id, {EVENTS: ((seq, seq),)}))
        assert spool.outbox.reached(EVENTS, seq) == "city"
        spool.settle()
        assert spool.outbox.reached(EVENTS, seq) == "city"


def test_two_marks_within_five_seconds_are_sealed_five_seconds_apart(
    tmp_path: Path, clock: FakeClock
) -> None:
    spool = opened(tmp_path, clock)
    spool.outbox.begin_session()
    spool.step()
    sent(spool, clock)
    again = mark(spool, clock)
    spool.step()
    assert spool.outbox.reached(EVENTS, again) == "open"
    clock.advance(5_000)
    spool.step()
    assert spool.outbox.reached(EVENTS, again) == "sealed"


def test_a_stream_that_no_spool_has_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(KeyError):
        opened(tmp_path, clock).outbox.reached(9, 1)
