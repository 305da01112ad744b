"""Virtual lines through the real adapters and drivers: states, loops, lamps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.loop import Loop, LoopOptions
from drivers.state import State, StateOptions
from edgenode.bus import open_lamp, open_line, open_state
from edgenode.bus.outputs import OutputLine
from edgenode.errors import BusError
from edgenode.reading import EventCode
from edgenode.virtual import Scenario, send_command
from edgenode.virtual.lamp import LampSpec
from edgenode.virtual.pulse import PulseSpec, VirtualPulse
from edgenode.virtual.series import Play
from edgenode.virtual.state import StateSpec, VirtualState
from edgenode.virtual.truth import Truth
from tests.support.instruments import Street, street
from tests.support.ports import until

MS = 1_000_000
SCENARIO = Scenario(
    (
        PulseSpec("loop", line=1, every_ms=200, pulses=Play(offset=2), occupancy=Play(offset=40)),
        StateSpec("green", line=2, pattern_ms=(60, 20, 40)),
        StateSpec("door", line=3, pattern_ms=(86_400_000,), first=True, active_low=True),
        LampSpec("lamp", line=4),
    )
)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Street]:
    with street(tmp_path, SCENARIO) as running:
        yield running


def boot_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // MS


def truth(here: Street, channel: str) -> list[dict[str, object]]:
    return [line for line in here.truth() if line["channel"] == channel]


def test_a_state_is_told_as_it_was_played(here: Street) -> None:
    state = State(open_state(here.path("gpio"), 2), StateOptions(line=2))
    told: list[tuple[int, int]] = []
    while len(told) < 8:
        time.sleep(0.01)
        told += [
            (int(e.value[0]), e.t_ms or 0)
            for e in state.feed(boot_ms())
            if e.code == EventCode.STATE_CHANGED and isinstance(e.value, tuple)
        ]
    played = {(line["value"], line["t"]) for line in truth(here, "green/state")}
    assert all(any((new, t_ms + slip) in played for slip in (-1, 0, 1)) for new, t_ms in told)
    assert [new for new, _ in told] == [told[0][0], 1 - told[0][0]] * 4
    state.close()


def test_a_line_is_found_as_it_is(here: Street) -> None:
    for active_low in (True, False):
        line = open_state(here.path("gpio"), 3, active_low=active_low)
        assert line.active is active_low
        line.close()


def test_a_loop_measures_the_occupancy_that_was_played(here: Street) -> None:
    loop = Loop(open_line(here.path("gpio"), 1, "both"), LoopOptions(line=1))
    loop.read(boot_ms())
    time.sleep(0.6)
    count, occupancy, headway, unread = loop.read(boot_ms()).values
    assert occupancy == pytest.approx(40, abs=12)
    assert headway == pytest.approx(0.1, abs=0.01)
    assert (count or 0) >= 4
    assert unread == 0
    assert {line["value"] for line in truth(here, "loop/occupancy")} == {40.0}
    loop.close()


def test_a_lamp_is_seen_as_it_is_driven(here: Street) -> None:
    lamp = open_lamp(here.path("gpio"), 4, active_low=True)
    lamp.show(1, 0)
    lamp.show(0, 1)
    lamp.close()
    assert [line["value"] for line in truth(here, "lamp/level")] == [1, 0, 1, 0]


@pytest.mark.parametrize("action", ["nack", "vanish"])
def test_a_lamp_that_is_gone_is_a_bus_error(here: Street, action: str) -> None:
    output = OutputLine(here.path("gpio"), 4)
    send_command(here.control, "lamp", action)  # type: ignore[arg-type]
    with pytest.raises(BusError, match="No such device"):
        output.set(True)
    output.close()


def test_an_output_is_driven_by_one_at_a_time(here: Street) -> None:
    output = OutputLine(here.path("gpio"), 4)
    with pytest.raises(BusError, match="busy"):
        OutputLine(here.path("gpio"), 4)
    output.close()
    until(lambda: _opens(here), "the line is free")


def _opens(here: Street) -> bool:
    try:
        OutputLine(here.path("gpio"), 4).close()
    except BusError:
        return False
    return True


def test_a_pattern_is_repeated_and_an_odd_one_alternates(tmp_path: Path) -> None:
    log = Truth(tmp_path / "truth")
    state = VirtualState(StateSpec("s", pattern_ms=(10, 20, 30)), log, 0)
    changes = []
    while state.changes < 6:
        at = state.next_ns()
        state.advance(at)
        changes.append((at // MS, state.level()))
    assert changes == [
        (10, True),
        (30, False),
        (60, True),
        (70, False),
        (90, True),
        (120, False),
    ]
    log.close()


@pytest.mark.parametrize(("percent", "got"), [(0, 0.0), (25, 25.0), (100, 95.0)])
def test_pulses_are_as_wide_as_the_occupancy_asks_and_never_touch(
    tmp_path: Path, percent: float, got: float
) -> None:
    log = Truth(tmp_path / "truth")
    spec = PulseSpec("s", every_ms=1000, pulses=Play(offset=4), occupancy=Play(offset=percent))
    pulse = VirtualPulse(spec, log, 0)
    high_ns = rose_ns = 0
    for _ in range(8):
        at = pulse.next_ns()
        pulse.advance(at)
        high_ns += 0 if pulse.level() else at - rose_ns
        rose_ns = at
    assert pulse.total == 4
    assert 100 * high_ns / 1e9 == pytest.approx(got, abs=0.001)
    log.close()
