"""What a session asks to hear, and a broker that refuses it."""

from __future__ import annotations

from pytest_mock import MockerFixture

from edgenode.reading import EventCode
from tests.uplink.paho import Desk


def test_a_refused_subscription_is_alarmed(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    desk.session.refused_topics = 1
    desk.flow()
    desk.flow()
    assert [(e.code, e.value) for e in desk.events] == [(EventCode.SPOOL_DEGRADED, 0x87)]
    assert "/ack" in desk.stats.last_error


def test_a_refused_subscription_is_asked_for_again_later_and_later(mocker: MockerFixture) -> None:
    desk = Desk(mocker)
    asked = mocker.patch.object(desk.session, "subscribe")
    for pause_ms in (5_000, 10_000, 20_000):
        desk.session.refused_topics = 1
        desk.flow()
        desk.clock.advance(pause_ms - 1)
        desk.flow()
        assert not asked.called
        desk.clock.advance(1)
        desk.flow()
        desk.flow()
        asked.assert_called_once()
        asked.reset_mock()
