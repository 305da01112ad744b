"""What a session sends, in which order and how much, and on whose word it lets go."""

from __future__ import annotations

import pytest
from pytest_mock import MockerFixture

from edgenode.reading import EventCode
from edgenode.uplink.options import Custody
from edgenode.uplink.session import Connack, End
from edgenode.wire import Ack, encode
from tests.support.outbox import NODE, SPOOL, MemoryOutbox
from tests.uplink.paho import Desk

MINUTE = 60_000
HOUR = 60 * MINUTE


def test_custody_moves_on_the_puback_of_that_very_message(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.seal(3)
    desk.client.puback(desk.batches()[1].mid)
    desk.flow()
    assert desk.box.where(0, 2) == "unconfirmed"
    assert desk.box.where(0, 1) == desk.box.where(0, 3) == "in flight"


def test_one_slot_is_kept_for_live_data(mocker: MockerFixture) -> None:
    box = MemoryOutbox()
    box.seal(30)
    desk = Desk(mocker, box)
    assert len(desk.batches()) == 19
    desk.seal()
    assert len(desk.batches()) == 20
    assert desk.batches()[-1].payload == box.sealed(0, 31).data


def test_receive_maximum_is_kept(mocker: MockerFixture) -> None:
    desk = Desk(mocker, connack=Connack(0, "Success", receive_maximum=3))
    desk.seal(10)
    assert len(desk.forwarder._in_flight) == 3


def test_backlog_goes_through_the_token_bucket(mocker: MockerFixture) -> None:
    box = MemoryOutbox()
    box.seal(100)
    desk = Desk(mocker, box, backlog_per_s=5.0)
    desk.answer()
    before = len(desk.batches())
    assert before == 5
    for _ in range(10):
        desk.clock.advance(1_000)
        desk.forwarder.turn()
        desk.answer()
    assert len(desk.batches()) == before + 50


def test_a_session_without_a_puback_is_given_up_after_20_s(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.seal()
    desk.clock.advance(19_999)
    desk.forwarder.turn()
    assert desk.session.ended is None
    desk.clock.advance(1)
    desk.forwarder.turn()
    assert desk.session.ended is not None
    assert not desk.session.ended.by_peer
    desk.forwarder.end(stopped=False)
    assert desk.box.where(0, 1) == "sealed"


def test_a_message_that_still_moves_has_time(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.seal()
    for _ in range(10):
        desk.clock.advance(15_000)
        desk.session.moved_ms = desk.clock.boot_ms()
        desk.forwarder.turn()
    assert desk.session.ended is None


def test_a_silent_city_is_no_reason_to_reconnect(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.seal(5)
    desk.answer()
    for _ in range(24 * 60):
        desk.clock.advance(MINUTE)
        desk.forwarder.turn()
        desk.answer()
    assert desk.session.ended is None


def test_a_city_that_is_down_for_an_hour_costs_few_repeats(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    for _ in range(60):
        desk.box.seal()
        desk.forwarder.signal()
        for _ in range(60):
            desk.clock.advance(1_000)
            desk.forwarder.turn()
            desk.answer()
    assert 1 <= desk.stats.resends <= 20
    assert desk.stats.sent == 60 + desk.stats.resends
    assert len(desk.box.held()) == 60


def test_a_batch_that_the_city_passed_over_is_sent_again_at_once_and_twice_at_most(
    mocker: MockerFixture,
) -> None:
    desk = Desk(mocker)
    desk.box.seal(stream=1)  # an alarm, which nothing follows on its stream
    lost = desk.box.sealed(1, 1).data
    desk.flow()
    desk.answer()
    for seq in range(1, 9):
        for _ in range(60):
            desk.clock.advance(1_000)
            desk.flow()
            desk.answer()
        desk.box.seal()
        desk.flow()
        desk.answer()
        ack = Ack(NODE, SPOOL, {0: ((1, seq),)})
        desk.client.arrive(f"edgenode/v1/{NODE.hex()}/ack", encode(ack))
        assert sum(item.payload == lost for item in desk.batches()) == min(3, max(1, seq))


def test_at_most_1000_batches_are_outstanding_to_the_city(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.box.seal(1_010)
    for _ in range(100):
        desk.flow()
        desk.answer()
    assert desk.box.unconfirmed() == 1_000
    assert desk.stats.paused
    desk.client.arrive(f"edgenode/v1/{NODE.hex()}/ack", encode(Ack(NODE, SPOOL, {0: ((1, 600),)})))
    desk.flow()
    desk.answer()
    assert desk.box.unconfirmed() == 410
    assert not desk.stats.paused


def test_a_message_that_paho_did_not_take_is_kept(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.client.rc = 4  # MQTT_ERR_NO_CONN: paho keeps such a message, and would send it later
    desk.seal()
    assert desk.session.ended is not None
    assert len(desk.batches()) == 1
    desk.forwarder.turn()
    assert len(desk.batches()) == 1
    desk.forwarder.end(stopped=False)
    assert desk.box.where(0, 1) == "sealed"


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


def test_a_second_client_under_our_id_is_alarmed_and_answered_with_backoff(
    mocker: MockerFixture,
) -> None:
    desk = Desk(mocker)
    desk.seal()
    desk.answer()
    assert desk.end(by_peer=True)  # an end like this proved the broker
    desk.connect()
    desk.session.ended = End("taken over", by_peer=True, code=0x8E)
    assert not desk.forwarder.end(stopped=False)
    assert [event.code for event in desk.events] == [EventCode.TAMPER]


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


def test_batches_wait_for_the_birth_and_not_for_its_acceptance(mocker: MockerFixture) -> None:
    desk = Desk(mocker, primed=False)
    desk.seal()
    births = [item for item in desk.client.published if "/birth/" in item.topic]
    assert births
    for item in desk.client.published[: births[0].mid - 1]:
        desk.client.puback(item.mid)
    desk.flow()
    assert not desk.batches()
    desk.client.puback(births[0].mid, 0x87)
    desk.forwarder.turn()
    assert len(desk.batches()) == 1


def test_nothing_is_in_pahos_own_queue(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    assert desk.client.made_with["reconnect_on_failure"] is False
    desk.box.seal(100)
    for _ in range(5):
        desk.flow()
    assert len(desk.forwarder._in_flight) <= 20


def test_a_batch_whose_birth_is_lost_goes_all_the_same(mocker: MockerFixture) -> None:
    box = MemoryOutbox()
    box.known_birth = False
    desk = Desk(mocker, box)
    desk.seal()
    assert len(desk.batches()) == 1


def test_an_ack_of_a_later_version_is_no_forgery(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.client.arrive(f"edgenode/v1/{NODE.hex()}/ack", bytes([0xA1, 0x00, 0x02]))
    desk.flow()
    assert desk.events == []
    assert "not understood" in desk.stats.last_error


def test_an_ack_that_is_no_message_at_all_is_alarmed_once(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    for _ in range(3):
        desk.client.arrive(f"edgenode/v1/{NODE.hex()}/ack", b"rubbish")
        desk.flow()
    assert [event.code for event in desk.events] == [EventCode.TAMPER]


def test_a_puback_that_came_with_the_end_still_counts(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.seal(2)
    desk.client.puback(desk.batches()[0].mid)
    desk.end(by_peer=True)
    assert desk.box.where(0, 1) == "unconfirmed"
    assert desk.box.where(0, 2) == "sealed"
