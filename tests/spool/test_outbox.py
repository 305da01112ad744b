"""What may be sent, and in which order."""

from __future__ import annotations

import select
from pathlib import Path

import pytest

from edgenode.reading import Event, EventCode
from edgenode.spool import Spool
from edgenode.spool.block import BLOCK
from edgenode.wire import Ack
from tests.support.clock import FakeClock
from tests.support.spools import (
    NODE,
    air,
    drained,
    feed,
    opened,
    sealed_minutes,
    spool_path,
)

MINUTE = 60_000


def seqs(spool: Spool, *, live: bool) -> list[int]:
    return [sealed.seq for sealed in drained(spool.outbox, live=live)]


def test_what_is_sealed_in_a_session_is_live_and_what_was_there_before_is_backlog(
    spool: Spool, clock: FakeClock
) -> None:
    sealed_minutes(spool, clock, 2)
    spool.outbox.begin_session()
    sealed_minutes(spool, clock, 1)
    assert seqs(spool, live=True) == [3]
    assert seqs(spool, live=False) == [1, 2]


def test_alarms_go_before_everything_else_in_both_lanes(spool: Spool, clock: FakeClock) -> None:
    sealed_minutes(spool, clock, 1)
    spool.event(clock.boot_ms(), 1, Event(EventCode.STATE_CHANGED, value=1))
    spool.event(clock.boot_ms(), 1, Event(EventCode.SENSOR_LOST, value=1))
    spool.step()
    taken = drained(spool.outbox, live=True)
    assert [(one.stream, one.alarm) for one in taken] == [(1, True), (1, False), (0, False)]
    spool.outbox.begin_session()
    assert drained(spool.outbox)[0].alarm


def test_what_was_in_flight_when_a_session_ended_is_taken_again_in_its_order(
    spool: Spool, clock: FakeClock
) -> None:
    sealed_minutes(spool, clock, 3)
    assert seqs(spool, live=True) == [1, 2, 3]
    spool.outbox.broker_acked(0, 2)
    spool.outbox.end_session()
    spool.outbox.begin_session()
    assert seqs(spool, live=False) == [1, 3]


def test_a_released_batch_is_taken_again_by_its_lane(spool: Spool, clock: FakeClock) -> None:
    sealed_minutes(spool, clock, 1)
    (one,) = spool.outbox.take(True, 5)
    spool.outbox.release(one.stream, one.seq)
    assert spool.outbox.take(False, 5) == []
    assert spool.outbox.take(True, 5) == [one]


def test_a_batch_set_aside_is_never_taken_again_and_alarmed(spool: Spool, clock: FakeClock) -> None:
    sealed_minutes(spool, clock, 2)
    (one,) = spool.outbox.take(True, 1)
    spool.outbox.set_aside(one.stream, one.seq, "not authorised")
    sealed_minutes(spool, clock, 1)
    spool.outbox.begin_session()
    assert 1 not in [x.seq for x in drained(spool.outbox) if x.stream == 0]
    spool.close()
    again = opened(spool.options.directory, clock)
    again.outbox.begin_session()
    assert 1 not in [x.seq for x in drained(again.outbox) if x.stream == 0]


def test_the_oldest_unconfirmed_is_offered_without_being_taken(
    spool: Spool, clock: FakeClock
) -> None:
    sealed_minutes(spool, clock, 3)
    assert spool.outbox.oldest_unconfirmed() is None
    for one in drained(spool.outbox, live=True):
        spool.outbox.broker_acked(one.stream, one.seq)
    for _ in range(2):
        oldest = spool.outbox.oldest_unconfirmed()
        assert oldest is not None
        assert oldest.seq == 1
    sealed_minutes(spool, clock, 1)
    oldest = spool.outbox.oldest_unconfirmed()
    assert oldest is not None
    assert oldest.seq == 1


def test_the_eventfd_tells_of_something_new_to_send(spool: Spool, clock: FakeClock) -> None:
    assert not select.select([spool.outbox.ready_fd], [], [], 0)[0]
    sealed_minutes(spool, clock, 1)
    assert select.select([spool.outbox.ready_fd], [], [], 0)[0]


def test_many_acks_are_written_down_without_waiting_for_a_seal(
    spool: Spool, clock: FakeClock
) -> None:
    for n in range(520):
        spool.event(clock.boot_ms(), 1, Event(EventCode.STATE_CHANGED, value=n))
        clock.advance(10_000)
        spool.step()
    taken = drained(spool.outbox, live=True)
    assert len(taken) > 501
    for one in taken:
        spool.outbox.broker_acked(one.stream, one.seq)
    spool.outbox.city_acked(Ack(NODE, spool.id, {1: ((1, taken[-1].seq),)}))
    spool.step()
    assert spool.stats().pruned_batches == 500
    assert spool.outbox.backlog() == 0


def test_what_is_sealed_is_not_sendable_before_the_journal_tells_of_it(
    spool: Spool, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(spool, clock, 6)
    clock.advance(2 * MINUTE)
    broken = OSError(5, "the card does not answer")

    def refuse(*_: object) -> None:
        raise broken

    with monkeypatch.context() as patch:
        patch.setattr(spool._core.journal, "commit", refuse)
        spool.step()
    assert spool._core.store.held() == 1
    assert spool.outbox.take(True, 5) == []
    clock.advance(60_000)
    spool.step()
    assert [one.seq for one in spool.outbox.take(True, 5)][-1:] == [1]
    assert (spool_path(spool) / "journal").stat().st_size == 257 * BLOCK


def test_backlog_counts_what_no_broker_has(spool: Spool, clock: FakeClock) -> None:
    sealed_minutes(spool, clock, 3)
    assert spool.outbox.backlog() == 3
    (one,) = spool.outbox.take(True, 1)
    assert spool.outbox.backlog() == 2
    spool.outbox.broker_acked(one.stream, one.seq)
    assert spool.outbox.backlog() == 2


def test_the_birth_of_what_is_sealed_is_at_hand(spool: Spool) -> None:
    assert spool.outbox.birth(spool.schema)
    assert spool.outbox.birth(bytes(8)) is None
    spool.append(1, 0, air(1))


def test_only_the_streams_asked_for_are_taken_and_the_others_stay_in_their_order(
    tmp_path: Path, clock: FakeClock
) -> None:
    spool = opened(tmp_path, clock)
    spool.outbox.begin_session()
    feed(spool, clock, 65)
    spool.event(clock.boot_ms(), 1, Event(EventCode.STATE_CHANGED, value=1))
    feed(spool, clock, 70)
    (first, *_) = spool.outbox.take(True, 1, (0,))
    spool.outbox.release(first.stream, first.seq)
    spool.outbox.city_acked(Ack(NODE, spool.id, {}, ((0, 1, 1),)))
    for live in (True, False):
        assert {one.stream for one in spool.outbox.take(live, 64, (1,))} <= {1}
    taken = [one for live in (True, False) for one in spool.outbox.take(live, 64)]
    assert [(one.stream, one.seq) for one in taken] == [(0, 1), (0, 2)]


def test_the_oldest_unconfirmed_can_be_asked_of_some_streams(
    tmp_path: Path, clock: FakeClock
) -> None:
    spool = opened(tmp_path, clock)
    spool.outbox.begin_session()
    spool.event(clock.boot_ms(), 1, Event(EventCode.STATE_CHANGED, value=1))
    feed(spool, clock, 70)
    for one in drained(spool.outbox, live=True):
        spool.outbox.broker_acked(one.stream, one.seq)
    assert [
        (spool.outbox.oldest_unconfirmed(streams) or first).stream
        for streams in ((0, 1), (1,))
        if (first := spool.outbox.oldest_unconfirmed())
    ] == [0, 1]


def test_where_bytes_are_dear_telemetry_is_sealed_as_if_offline_and_events_as_ever(
    tmp_path: Path, clock: FakeClock
) -> None:
    spool = opened(tmp_path, clock)
    spool.outbox.begin_session()
    spool.outbox.spare(True)
    feed(spool, clock, 300)
    assert drained(spool.outbox, live=True) == []
    spool.event(clock.boot_ms(), 1, Event(EventCode.STATE_CHANGED, value=1))
    feed(spool, clock, 20)
    assert [one.stream for one in drained(spool.outbox, live=True)] == [1]
    feed(spool, clock, 300)
    assert [one.stream for one in drained(spool.outbox, live=True)] == [0]
    spool.outbox.spare(False)
    feed(spool, clock, 66)
    assert [one.stream for one in drained(spool.outbox, live=True)] == [0]
