"""What each ack means: who holds a batch, and when it may leave the node."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenode.errors import CityError
from edgenode.reading import EventCode
from edgenode.spool import Spool
from edgenode.wire import Ack, LossReason
from tests.support.clock import FakeClock
from tests.support.spools import (
    NODE,
    drained,
    kill,
    opened,
    sealed_minutes,
    unpacked,
)


def acked(spool: Spool, *ranges: tuple[int, int], resend: tuple[int, int] | None = None) -> Ack:
    again = ((0, *resend),) if resend else ()
    return Ack(NODE, spool.id, {0: ranges} if ranges else {}, again)


def seqs(spool: Spool, *, live: bool) -> list[int]:
    return [sealed.seq for sealed in drained(spool.outbox, live=live)]


def test_a_batch_leaves_the_node_when_the_city_acked_it(spool: Spool, clock: FakeClock) -> None:
    sealed_minutes(spool, clock, 3)
    drained(spool.outbox, live=True)
    spool.outbox.broker_acked(0, 1)
    spool.outbox.broker_acked(0, 2)
    assert spool.outbox.unconfirmed() == 2
    spool.outbox.city_acked(acked(spool, (1, 2)))
    assert spool.outbox.unconfirmed() == 0
    sealed_minutes(spool, clock, 1)
    assert spool.stats().held_batches == 2
    assert spool._core.store.lowest(0) == (3, 4)


def test_in_broker_custody_the_puback_prunes(tmp_path: Path, clock: FakeClock) -> None:
    spool = opened(tmp_path, clock, custody="broker")
    spool.outbox.begin_session()
    sealed_minutes(spool, clock, 1)
    drained(spool.outbox, live=True)
    spool.outbox.broker_acked(0, 1)
    assert spool.outbox.unconfirmed() == 0
    sealed_minutes(spool, clock, 1)
    assert spool.stats().held_batches == 1


def test_an_ack_survives_a_restart_once_a_batch_was_sealed_behind_it(
    spool: Spool, clock: FakeClock
) -> None:
    sealed_minutes(spool, clock, 2)
    drained(spool.outbox, live=True)
    spool.outbox.broker_acked(0, 1)
    sealed_minutes(spool, clock, 1)
    kill(spool)
    again = opened(spool.options.directory, clock)
    again.outbox.begin_session()
    assert again.outbox.unconfirmed() == 1
    assert seqs(again, live=False) == [2, 3]


@pytest.mark.parametrize("ranges", [(1, 4), (3, 3), (900, 900)])
def test_an_ack_for_what_was_never_sent_is_refused_whole_and_alarmed(
    spool: Spool, clock: FakeClock, ranges: tuple[int, int]
) -> None:
    sealed_minutes(spool, clock, 3)
    assert len(spool.outbox.take(True, 2)) == 2
    with pytest.raises(CityError, match="never sent"):
        spool.outbox.city_acked(acked(spool, (1, 1), ranges))
    clock.advance(5_000)
    spool.step()
    (alarm,) = [one for one in drained(spool.outbox, live=True) if one.alarm]
    (batch,) = unpacked(spool.outbox, [alarm])
    assert batch.events[0].code == EventCode.TAMPER
    sealed_minutes(spool, clock, 1)
    assert spool._core.store.lowest(0) == (1, 0)


def test_an_ack_may_name_what_an_earlier_process_sent(spool: Spool, clock: FakeClock) -> None:
    sealed_minutes(spool, clock, 2)
    spool.close()
    again = opened(spool.options.directory, clock)
    again.outbox.city_acked(acked(again, (1, 2)))
    again.outbox.begin_session()
    assert seqs(again, live=False) == []


def test_an_ack_for_another_spool_says_nothing(spool: Spool, clock: FakeClock) -> None:
    sealed_minutes(spool, clock, 1)
    spool.outbox.city_acked(Ack(NODE, bytes(8), {0: ((1, 900),)}))
    assert seqs(spool, live=True) == [1]


def test_the_city_gets_again_what_is_held_and_losses_for_the_rest(
    spool: Spool, clock: FakeClock
) -> None:
    sealed_minutes(spool, clock, 4)
    for one in drained(spool.outbox, live=True):
        spool.outbox.broker_acked(one.stream, one.seq)
    spool.outbox.city_acked(acked(spool, (1, 2)))
    sealed_minutes(spool, clock, 1)
    spool.outbox.city_acked(acked(spool, resend=(1, 3)))
    spool.step()
    assert seqs(spool, live=False) == [3]
    sealed_minutes(spool, clock, 1)
    last = unpacked(spool.outbox, drained(spool.outbox, live=True))[-1]
    assert [(x.r0, x.n, x.reason, x.seq, x.nseq) for x in last.losses] == [
        (0, 4, LossReason.TTL, 1, 2)
    ]
