"""What the uplink itself alarms: once a spell, and with an end."""

from __future__ import annotations

from edgenode.reading import Event, EventCode, SpoolReason
from edgenode.uplink.alarms import CALM_MS, Alarms
from tests.support.clock import FakeClock

MINUTE = 60_000


def test_an_alarm_is_raised_once_a_spell_and_again_after_an_hour() -> None:
    clock, events = FakeClock(), list[Event]()
    alarms = Alarms(events.append, clock)
    for _ in range(61):
        alarms.refused(0x87)
        clock.advance(MINUTE)
    assert [event.value for event in events] == [0x87, 0x87]
    alarms.flowing()
    alarms.refused(0x87)
    alarms.tamper()
    assert told(events[2:]) == [
        (EventCode.SPOOL_RECOVERED, 0x87),
        (EventCode.SPOOL_DEGRADED, 0x87),
        (EventCode.TAMPER, None),
    ]


def told(events: list[Event]) -> list[tuple[int, object]]:
    return [(event.code, event.value) for event in events]


def test_what_is_refused_again_and_again_between_others_is_one_spell() -> None:
    clock, events = FakeClock(), list[Event]()
    alarms = Alarms(events.append, clock)
    for _ in range(50):
        alarms.refused(0x87)
        clock.advance(CALM_MS // 2)
        alarms.flowing()
    assert told(events) == [(EventCode.SPOOL_DEGRADED, 0x87)]
    clock.advance(CALM_MS // 2)
    alarms.flowing()
    assert told(events[1:]) == [(EventCode.SPOOL_RECOVERED, 0x87)]


def test_who_is_not_allowed_to_hear_is_not_well_because_it_may_speak() -> None:
    clock, events = FakeClock(), list[Event]()
    alarms = Alarms(events.append, clock)
    alarms.refused(0x87, subscription=True)
    alarms.refused(0x87)
    clock.advance(CALM_MS)
    alarms.flowing()
    assert told(events) == [(EventCode.SPOOL_DEGRADED, 0x87)]
    alarms.heard()
    assert told(events[1:]) == [(EventCode.SPOOL_RECOVERED, 0x87)]


def test_what_an_earlier_process_told_has_its_end_with_the_first_batch_that_is_taken() -> None:
    clock, events = FakeClock(), list[Event]()
    alarms = Alarms(events.append, clock, told=(SpoolReason.DISK_FULL, 0x87))
    alarms.flowing()
    alarms.flowing()
    assert told(events) == [(EventCode.SPOOL_RECOVERED, 0x87)]
