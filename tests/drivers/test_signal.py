"""Red and green together, told by the kernel's stamps; darkness, standstill, and what is missed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.signal import TOLD_MOST, Signal, SignalOptions
from edgenode.errors import BusError
from edgenode.reading import Event, EventCode, Quality
from tests.drivers.known_signal import Lamps

OPTIONS = SignalOptions(red=0, amber=1, green=2)


def told(events: object, code: EventCode) -> list[Event]:
    return [event for event in events if event.code is code]  # type: ignore[attr-defined]


@given(st.integers(min_value=900, max_value=1_100), st.lists(st.integers(1, 3_000), max_size=20))
def test_an_overlap_is_judged_by_its_stamps_whenever_anybody_looks(
    overlap_ms: int, looks: list[int]
) -> None:
    lamps = Lamps("red")
    head = Signal(lamps.wire, OPTIONS)
    head.feed(100)
    lamps.switch("green", 1_000)
    lamps.switch("red", 1_000 + overlap_ms)
    events: list[Event] = []
    for at_ms in sorted({*(2_120 + ms for ms in looks), 9_000}):
        events += head.feed(at_ms)
    alarms = told(events, EventCode.SIGNAL_CONFLICT)
    assert [alarm.t_ms for alarm in alarms] == ([1_000] if overlap_ms > 1_000 else [])
    assert head.counts()["conflicts"] == len(alarms)
    head.close()


def test_a_conflict_that_stays_is_told_without_another_edge() -> None:
    lamps = Lamps("red")
    head = Signal(lamps.wire, OPTIONS)
    head.feed(100)
    lamps.switch("green", 1_000)
    assert [bool(head.feed(at_ms)) for at_ms in (1_500, 2_000, 2_500, 3_000)] == [
        *(False, False, True, False)
    ]
    head.close()


def test_a_head_that_is_found_in_conflict_is_told_after_a_second() -> None:
    lamps = Lamps("red", "green")
    head = Signal(lamps.wire, OPTIONS)
    assert not head.feed(5_020)
    assert not head.feed(6_020)
    assert told(head.feed(6_021), EventCode.SIGNAL_CONFLICT)[0].t_ms == 5_000
    head.close()


def test_one_fault_in_each_cycle_is_one_alarm_and_every_one_is_counted() -> None:
    lamps = Lamps("red")
    head = Signal(lamps.wire, OPTIONS)
    head.feed(100)
    alarms = []
    for n in range(1, 31):
        lamps.switch("green", n * 60_000, n * 60_000 + 2_000)
        alarms += told(head.feed(n * 60_000 + 3_000), EventCode.SIGNAL_CONFLICT)
    assert len(alarms) == 1
    assert head.counts()["conflicts"] == 30
    alarms += told(head.feed(31 * 60_000 + 600_000), EventCode.SIGNAL_CONFLICT)
    lamps.switch("green", 42 * 60_000, 42 * 60_000 + 2_000)
    alarms += told(head.feed(43 * 60_000), EventCode.SIGNAL_CONFLICT)
    assert len(alarms) == 2
    head.close()


def test_what_was_missed_is_no_ground_for_an_alarm() -> None:
    lamps = Lamps("red")
    head = Signal(lamps.wire, OPTIONS)
    head.feed(100)
    lamps.lines["green"].queue = 1
    lamps.switch("green", 1_000, 1_500, 3_000)  # only that it is on from 3 s is known
    assert not head.feed(3_100)
    assert not head.feed(4_020)
    assert told(head.feed(4_021), EventCode.SIGNAL_CONFLICT)[0].t_ms == 3_000
    assert head.counts()["changes"] == 3
    head.close()


def test_changes_are_taken_in_the_order_of_their_stamps_over_two_reads() -> None:
    lamps = Lamps("green")
    head = Signal(lamps.wire, OPTIONS)
    head.feed(100)
    lamps.switch("red", 5_015)  # read before the green that went out before it
    head.feed(5_016)
    lamps.switch("green", 5_010)
    head.feed(5_500)
    sample = head.read(9_000)
    assert sample.values[0] == 1
    assert not sample.events
    assert head.counts() == {"cycles": 1, "changes": 2, "conflicts": 0}
    head.close()


def test_a_flashing_amber_is_neither_dark_nor_a_cycle() -> None:
    lamps = Lamps()
    head = Signal(lamps.wire, OPTIONS)
    head.feed(0)
    for n in range(600):
        lamps.switch("amber", 500 + n * 500)
    assert not head.feed(300_000)
    sample = head.read(300_100)
    assert sample.values[1] == 0
    assert head.counts()["cycles"] == 0
    head.close()


def test_a_condition_that_comes_and_goes_floods_nobody() -> None:
    lamps = Lamps("red")
    head = Signal(lamps.wire, SignalOptions(red=0, amber=1, green=2, dark_s=1))
    events = 0
    for n in range(1, 101):
        lamps.switch("red", n * 10_000, n * 10_000 + 5_000)
        events += len(head.feed(n * 10_000 + 4_000)) + len(head.feed(n * 10_000 + 6_000))
    assert events == TOLD_MOST
    head.close()


def test_a_line_that_ends_is_a_bus_error() -> None:
    lamps = Lamps("red")
    head = Signal(lamps.wire, OPTIONS)
    lamps.lines["amber"].gone = True
    with pytest.raises(BusError):
        head.feed(100)
    head.close()
    assert all(line.closed for line in lamps.lines.values())


def test_a_head_without_amber_has_no_such_channel() -> None:
    lamps = Lamps("red", amber=False)
    head = Signal(lamps.wire, SignalOptions(red=0, green=1))
    names = [channel.name for channel in head.measures()]
    assert "amber" not in names
    sample = head.read(0)
    assert len(sample.values) == len(sample.quality) == len(names)
    assert sample.quality[names.index("green")] is Quality.MISSING
    head.close()


@pytest.mark.parametrize("wrong", [{"red": 1}, {"red": 1, "green": 2, "line": 3}, {"green": -1}])
def test_options_that_make_no_head_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, SignalOptions)
