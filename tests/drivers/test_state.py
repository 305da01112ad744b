"""States and their durations as events, alarms of a tamper contact, and floods held in bounds."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.state import TOLD_MOST, State, StateOptions
from edgenode.driver import Counting, Talker, declared
from edgenode.errors import BusError
from edgenode.reading import Event, EventCode, Quality
from tests.support.fake_line import FakeState

TAMPER = StateOptions(line=5, role="tamper")


@pytest.fixture
def line() -> FakeState:
    return FakeState()


@pytest.fixture
def state(line: FakeState) -> State:
    return State(line, StateOptions(line=5))


def changed(new: int, lasted_ms: int, t_ms: int) -> Event:
    return Event(EventCode.STATE_CHANGED, 0, (new, lasted_ms), t_ms=t_ms)


def test_every_change_is_told_at_once_with_how_long_the_state_before_it_lasted(
    line: FakeState, state: State
) -> None:
    line.change(1000, 1750, 4000)
    assert state.feed(5000) == [changed(1, -1, 1000), changed(0, 750, 1750), changed(1, 2250, 4000)]
    assert state.feed(5000) == []


def test_a_change_that_nobody_fed_is_told_with_the_sample(line: FakeState, state: State) -> None:
    line.change(1000)
    assert state.read(2000).events == (changed(1, -1, 1000),)
    assert state.read(3000).events == ()


def test_a_sample_has_the_state_its_changes_and_the_share_of_time_active(
    line: FakeState, state: State
) -> None:
    assert state.read(0).values == (0, 0, None)
    line.change(1000, 1750, 4000)
    state.feed(4000)
    now, changes, active = state.read(5000).values
    assert (now, changes) == (1, 3)
    assert active == pytest.approx(100 * (750 + 1000) / 5000)
    assert state.read(6000).values == (1, 3, 100)


def test_the_first_sample_has_no_time_behind_it(state: State) -> None:
    assert state.read(0).quality == (Quality.OK, Quality.OK, Quality.MISSING)
    assert state.read(1).quality == (Quality.OK, Quality.OK, Quality.OK)


def test_how_long_a_state_lasted_is_not_known_where_changes_were_dropped(
    line: FakeState, state: State
) -> None:
    state.read(0)
    line.change(1000)
    state.feed(1000)
    line.queue = 2
    line.change(2000, 3000, 4000, 5000)
    assert state.feed(5000) == [changed(0, -1, 4000), changed(1, 1000, 5000)]
    sample = state.read(6000)
    assert sample.values[:2] == (1, 5)
    assert sample.values[2] == pytest.approx(100 * (3000 / 2 + 1000) / 6000)
    assert sample.quality[2] is Quality.ESTIMATED
    assert state.read(7000).quality[2] is Quality.OK


def test_changes_dropped_without_one_that_was_kept_leave_the_duration_unknown(
    line: FakeState, state: State
) -> None:
    line.change(1000)
    state.feed(1000)
    line.queue = 0
    line.change(2000, 3000)
    assert state.feed(3000) == []
    assert state.counts() == {"changes": 3}
    line.queue = 8
    line.change(4000)
    assert state.feed(4000) == [changed(0, -1, 4000)]


def test_a_contact_that_chatters_is_told_so_often_and_then_only_counted(
    line: FakeState, state: State
) -> None:
    state.read(0)
    line.change(*range(1, 501))
    assert len(state.feed(500)) == TOLD_MOST == 32
    line.change(*range(501, 601))
    assert state.feed(600) == []
    sample = state.read(700)
    assert (sample.values[:2], sample.events) == ((0, 600), ())
    line.change(800)
    assert state.feed(800) == [changed(1, 200, 800)]


def test_a_tamper_contact_that_becomes_active_is_an_alarm(line: FakeState) -> None:
    state = State(line, TAMPER)
    line.change(1000, 2000)
    alarm = Event(EventCode.TAMPER, 0, 1, t_ms=1000)
    assert state.feed(2000) == [changed(1, -1, 1000), alarm, changed(0, 1000, 2000)]


def test_a_tamper_contact_that_is_found_active_is_an_alarm_of_the_first_sample() -> None:
    state = State(FakeState(active=True), TAMPER)
    assert state.read(0).events == (Event(EventCode.TAMPER, 0, 1),)
    assert state.read(1).events == ()


def test_what_is_no_tamper_contact_alarms_nobody() -> None:
    state = State(FakeState(active=True), StateOptions(line=5))
    assert state.read(0).events == ()


def test_a_state_is_looked_at_anew_after_a_restart(state: State) -> None:
    assert state.resumed() == {}
    state.keep({"changes": 3})
    assert state.counts() == {"changes": 0}


def test_a_line_that_ends_is_a_bus_error(line: FakeState, state: State) -> None:
    line.gone = True
    with pytest.raises(BusError):
        state.feed(0)


def test_the_bus_thread_can_wait_on_it_and_ask_its_totals(line: FakeState, state: State) -> None:
    assert isinstance(state, Talker)
    assert isinstance(state, Counting)
    assert state.fileno() == line.fileno()


def test_the_installer_says_what_is_switched() -> None:
    options = msgspec.convert({"line": 4, "observed": "TrafficLight/state"}, StateOptions)
    assert [channel.observed for channel in declared(State, options)] == [
        "TrafficLight/state",
        "",
        "",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"line": -1},
        {"line": 4, "bias": "pull-left"},
        {"line": 4, "role": "burglar"},
        {"line": 4, "edge": "both"},
        {"line": 4, "debounce_us": 1_000_001},
        {},
    ],
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, StateOptions)


@given(st.lists(st.tuples(st.integers(1, 900), st.booleans()), max_size=40))
def test_told_durations_and_counts_agree_with_what_happened(steps: list[tuple[int, bool]]) -> None:
    line = FakeState()
    state = State(line, StateOptions(line=5))
    state.read(0)
    now_ms, told = 0, []
    for gap_ms, read in steps:
        now_ms += gap_ms
        line.change(now_ms)
        told += list(state.read(now_ms).events if read else state.feed(now_ms))
    lasted = [event.value[1] for event in told if isinstance(event.value, tuple)]
    assert state.counts() == {"changes": len(steps)}
    assert all(ms == -1 or ms > 0 for ms in lasted)
    if len(told) == len(steps) > 1:
        assert sum(lasted[1:]) == now_ms - steps[0][0]
