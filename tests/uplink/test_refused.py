"""What the reason code of a PUBACK makes of a batch: parked, slowed, set aside, tried again."""

from __future__ import annotations

import pytest
from pytest_mock import MockerFixture

from edgenode.reading import EventCode
from edgenode.uplink.options import Custody
from edgenode.wire import Ack, encode
from tests.support.outbox import NODE, SPOOL, MemoryOutbox
from tests.uplink.paho import Desk


def test_a_quota_that_is_used_up_slows_the_node_down(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.seal()
    desk.answer(0x97)
    desk.seal(5)
    assert len(desk.batches()) == 1
    desk.clock.advance(1_000)
    desk.flow()
    assert len(desk.batches()) == 6
    assert desk.box.where(0, 1) == "in flight"
    assert [(e.code, e.value) for e in desk.events] == [(EventCode.SPOOL_DEGRADED, 0x97)]


def test_many_words_about_the_quota_at_once_are_one_word(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.seal(19)
    desk.answer(0x97)
    desk.clock.advance(1_000)
    desk.seal()
    assert len(desk.batches()) == 20


def test_a_payload_the_broker_finds_invalid_is_set_aside(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.seal()
    desk.answer(0x99)
    assert [(stream, seq) for stream, seq, _ in desk.box.aside] == [(0, 1)]


def test_a_refused_batch_is_tried_again_slowly_and_the_others_go_on(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.seal()
    desk.answer(0x83)
    refused = desk.box.sealed(0, 1).data
    for _ in range(120):
        desk.seal()
        for mid in list(desk.forwarder._in_flight):
            desk.client.puback(
                mid, 0x83 if desk.client.published[mid - 1].payload == refused else 0
            )
        desk.flow()
        desk.clock.advance(1_000)
    assert desk.box.where(0, 1) == "in flight"
    assert desk.box.where(0, 121) == "unconfirmed"
    assert 3 <= sum(item.payload == refused for item in desk.batches()) <= 4


def test_one_parked_batch_that_gets_through_brings_the_others_at_once(
    mocker: MockerFixture,
) -> None:
    desk = Desk(mocker, MemoryOutbox(custody="broker"), custody="broker")
    desk.seal(10)
    desk.answer(0x10)
    assert desk.stats.parked == 10
    for _ in range(40):
        desk.clock.advance(1_000)
        desk.flow()
        desk.answer()
    desk.answer()
    assert desk.box.held() == set()


@pytest.mark.parametrize("custody", ["broker", "city"])
def test_what_nobody_heard_is_kept_and_tried_again_slowly(
    mocker: MockerFixture, custody: Custody
) -> None:
    desk = Desk(mocker, MemoryOutbox(custody=custody), custody=custody)
    desk.seal()
    desk.answer(0x10)
    assert desk.box.where(0, 1) == "in flight"
    assert desk.events == []
    desk.clock.advance(20_000)
    desk.flow()
    assert len(desk.batches()) == 1
    desk.clock.advance(20_000)
    desk.flow()
    desk.answer()
    assert len(desk.batches()) == 2
    assert desk.box.held() == (set() if custody == "broker" else {(0, 1)})


def test_a_word_of_the_city_brings_what_nobody_heard_and_not_what_was_refused(
    mocker: MockerFixture,
) -> None:
    desk = Desk(mocker)
    desk.seal()
    desk.answer(0x10)
    unheard = desk.box.sealed(0, 1).data
    desk.seal()
    desk.answer(0x83)
    desk.client.arrive(f"edgenode/v1/{NODE.hex()}/ack", encode(Ack(NODE, SPOOL, {1: ((1, 1),)})))
    desk.forwarder.turn()
    assert [item.payload == unheard for item in desk.batches()] == [True, False, True]


def test_when_every_place_is_taken_by_refused_batches_nothing_new_is_sent(
    mocker: MockerFixture,
) -> None:
    desk = Desk(mocker)
    desk.box.seal(60)
    for _ in range(10):
        desk.flow()
        desk.answer(0x87)
    assert len(desk.batches()) <= 40
    assert len(desk.box.held()) == 60
