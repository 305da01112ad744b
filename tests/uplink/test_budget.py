"""The network budget: what is counted, what is done near the limit, at it, and after it."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_mock import MockerFixture

from edgenode.errors import ConfigError
from edgenode.reading import EventCode
from edgenode.spool import Traffic
from edgenode.uplink import Broker, UplinkOptions
from tests.support.outbox import NODE, MemoryOutbox
from tests.uplink.paho import Desk

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
EXCEEDED, CLEARED = EventCode.LIMIT_EXCEEDED, EventCode.LIMIT_CLEARED


def desk_at(
    mocker: MockerFixture, hour: float, box: MemoryOutbox | None = None, **options: Any
) -> Desk:
    """Sit at a desk at that hour of a day of UTC, with nothing counted yet."""
    desk = Desk(mocker, box, **options)
    now = desk.clock.utc_ms()
    desk.clock.step(now // DAY_MS * DAY_MS + round(hour * HOUR_MS) - now)
    second(desk)
    return desk


def second(desk: Desk, sent: int = 0, received: int = 0) -> None:
    """Let a second pass in which so much went over the network."""
    desk.budget.tally.add(sent, received)
    desk.clock.advance(1_000)
    desk.flow()


def alarms(desk: Desk) -> list[tuple[int, object]]:
    return [(event.code, event.value) for event in desk.events]


# --- judging ---


def test_without_a_limit_bytes_are_counted_and_nothing_is_held_back(mocker: MockerFixture) -> None:
    desk = desk_at(mocker, 12)
    second(desk, 10**12, 7)
    stats = desk.stats
    assert (stats.sent_today, stats.received_month, stats.budget) == (10**12, 7, "")
    desk.seal()
    assert len(desk.batches()) == 1


def test_both_directions_count_against_the_limit(mocker: MockerFixture) -> None:
    desk = desk_at(mocker, 23, day_bytes=1_000)
    second(desk, 500, 299)
    assert desk.stats.budget == ""
    second(desk, 1, 0)
    assert desk.stats.budget == "near"
    second(desk, 100, 100)
    assert desk.stats.budget == "spent"


def test_a_pace_that_would_pass_the_limit_is_near_it_long_before(mocker: MockerFixture) -> None:
    desk = desk_at(mocker, 0.5, day_bytes=24_000)
    second(desk, 1_500)
    assert desk.stats.budget == ""  # half an hour says nothing about a day
    desk.clock.advance(HOUR_MS)
    second(desk)
    assert desk.stats.budget == ""
    second(desk, 200)
    assert desk.stats.budget == "near"
    desk.clock.advance(10 * 60_000)  # just below the line is not yet calm
    second(desk)
    assert desk.stats.budget == "near"
    desk.clock.advance(HOUR_MS)
    second(desk)
    assert desk.stats.budget == ""


def test_without_a_clock_only_the_limit_itself_is_judged(mocker: MockerFixture) -> None:
    desk = Desk(mocker, day_bytes=1_000)
    desk.clock.source = 0
    desk.budget._offset = None
    second(desk, 790)
    assert desk.stats.budget == ""
    second(desk, 10)
    assert desk.stats.budget == "near"


# --- near ---


def test_near_the_limit_batches_grow_and_far_from_it_they_do_not(mocker: MockerFixture) -> None:
    desk = desk_at(mocker, 23, day_bytes=1_000)
    second(desk, 700)
    assert not desk.box.sparing
    second(desk, 150)
    assert desk.box.sparing
    desk.clock.advance(HOUR_MS)
    second(desk)
    assert (desk.box.sparing, desk.stats.budget) == (False, "")


def test_an_uplink_with_a_higher_limit_undoes_what_the_one_before_it_said(
    mocker: MockerFixture,
) -> None:
    box = MemoryOutbox()
    box.spare(True)
    second(Desk(mocker, box, day_bytes=1_000))
    assert not box.sparing


def test_near_the_limit_backlog_goes_on_at_a_pace_that_never_reaches_it(
    mocker: MockerFixture,
) -> None:
    box = MemoryOutbox()
    box.seal(2_000)
    desk = desk_at(mocker, 12, box, day_bytes=1_000_000, backlog_per_s=5)
    second(desk, 850_000)
    desk.answer()
    sent = len(desk.batches())
    for _ in range(12 * 60 - 5):
        desk.clock.advance(60_000)
        fresh, sent = desk.batches()[sent:], len(desk.batches())
        desk.budget.tally.add(sum(len(item.payload) + 150 for item in fresh), 0)
        desk.flow()
        desk.answer()
        assert desk.stats.budget == "near"
    assert 930_000 < desk.stats.sent_today < 1_000_000
    desk.seal()
    assert desk.batches()[-1].payload == box.sealed(0, 2_001).data


# --- spent ---


def test_at_the_limit_telemetry_waits_and_events_go(mocker: MockerFixture) -> None:
    box = MemoryOutbox()
    box.seal(40)
    box.seal(2, stream=1)
    desk = desk_at(mocker, 12, box, day_bytes=1_000)
    second(desk, 1_000)
    before = len(desk.batches())
    desk.answer()
    for stream, alarm in ((0, False), (1, True), (2, False), (1, False)):
        box.seal(stream=stream, alarm=alarm)
        second(desk)
    topics = [item.topic for item in desk.batches()[before:]]
    assert topics
    assert all(topic.endswith("/batch/1") for topic in topics)
    assert not {key for key in box.held() if key[0] == 1 and box.where(*key) == "sealed"}
    assert box.where(0, 41) == "sealed"


def test_what_was_taken_already_goes_back_so_that_no_event_waits_behind_it(
    mocker: MockerFixture,
) -> None:
    desk = desk_at(mocker, 12, day_bytes=1_000)
    desk.box.seal(60)
    second(desk)
    assert len(desk.batches()) == 20
    second(desk, 1_000)
    desk.answer()
    assert not {key for key in desk.box.held() if desk.box.where(*key) == "in flight"}
    desk.box.seal(stream=1)
    second(desk)
    assert desk.batches()[-1].topic.endswith("/batch/1")


def test_refused_telemetry_takes_no_place_from_events_at_the_limit(mocker: MockerFixture) -> None:
    desk = desk_at(mocker, 12, day_bytes=1_000)
    desk.seal(20)
    desk.answer(0x87)
    assert desk.forwarder._parking.closed
    second(desk, 1_000)
    desk.box.seal(stream=1)
    second(desk)
    assert desk.batches()[-1].topic.endswith("/batch/1")
    desk.clock.advance(HOUR_MS)
    second(desk)
    assert desk.batches()[-1].topic.endswith("/batch/1")


def test_at_the_limit_only_events_are_sent_again_to_a_city_that_is_silent(
    mocker: MockerFixture,
) -> None:
    desk = desk_at(mocker, 0, day_bytes=1_000)
    desk.seal(3)
    desk.answer()
    second(desk, 1_000)
    desk.box.seal(stream=1)
    second(desk)
    desk.answer()
    before = len(desk.batches())
    for _ in range(60):
        desk.clock.advance(60_000)
        desk.flow()
        desk.answer()
    again = [item.topic for item in desk.batches()[before:]]
    assert again
    assert all(topic.endswith("/batch/1") for topic in again)


def test_births_and_the_state_are_said_also_at_the_limit(mocker: MockerFixture) -> None:
    desk = desk_at(mocker, 12, day_bytes=1_000)
    second(desk, 1_000)
    desk.connect()
    kinds = [item.topic.split("/")[3] for item in desk.client.published]
    assert {"state", "about", "birth"} <= set(kinds)


def test_the_next_day_everything_goes_on(mocker: MockerFixture) -> None:
    desk = desk_at(mocker, 23, day_bytes=1_000)
    second(desk, 1_000)
    desk.seal(5)
    assert not desk.batches()
    desk.clock.advance(HOUR_MS)
    for _ in range(6):
        second(desk)
    assert len(desk.batches()) == 5
    assert alarms(desk) == [(EXCEEDED, 1), (CLEARED, 1)]
    assert desk.stats.sent_month == 1_000


def test_the_alarm_is_raised_once_also_over_restarts(mocker: MockerFixture) -> None:
    traffic = Traffic()
    for _ in range(3):
        desk = Desk(mocker, traffic=traffic, day_bytes=1_000)
        second(desk, 1_000)
        second(desk)
        traffic = Traffic.load(traffic.dump())
        if desk.events:
            first = alarms(desk)
    assert first == [(EXCEEDED, 1)]
    desk = Desk(mocker, traffic=traffic, day_bytes=1_000_000)  # the limit was raised meanwhile
    second(desk)
    assert alarms(desk) == [(CLEARED, 1)]


def test_a_spent_month_outlasts_the_day(mocker: MockerFixture) -> None:
    desk = desk_at(mocker, 23, day_bytes=1_000, month_bytes=1_500)
    second(desk, 1_600)
    desk.clock.advance(HOUR_MS)
    second(desk)
    assert desk.stats.budget == "spent"
    assert alarms(desk) == [(EXCEEDED, 1), (EXCEEDED, 2), (CLEARED, 1)]
    desk.clock.advance(31 * DAY_MS)
    second(desk)
    assert desk.stats.budget == ""
    assert alarms(desk)[3:] == [(CLEARED, 2)]


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="day_bytes"):
        UplinkOptions(node=NODE, brokers=(Broker("x"),), day_bytes=0)
