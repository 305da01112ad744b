"""What a session sends, in which order and how much, and on whose word it lets go."""

from __future__ import annotations

from pytest_mock import MockerFixture

from edgenode.reading import EventCode
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
