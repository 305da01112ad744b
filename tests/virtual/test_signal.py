"""A virtual signal head, three lines that play together, through the real adapters and driver."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from drivers.signal import Signal, SignalOptions
from edgenode.errors import BusError
from edgenode.reading import Event, EventCode
from edgenode.sensing import Wires
from edgenode.virtual import Scenario, send_command
from edgenode.virtual.state import StateSpec, VirtualState
from edgenode.virtual.truth import Truth
from tests.support.instruments import Street, street
from tests.support.ports import until

MS = 1_000_000
OPTIONS = SignalOptions(red=1, amber=2, green=3, active_low=True)


def boot_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // MS


def opened(here: Street) -> Signal:
    signal = Wires(here.path("gpio")).opener(Signal, OPTIONS)()
    assert isinstance(signal, Signal)
    return signal


def lamp(
    name: str, line: int, *pattern_ms: int, first: bool = False, begun_ms: int = 0
) -> StateSpec:
    return StateSpec(
        name, line=line, pattern_ms=pattern_ms, first=first, begun_ms=begun_ms, active_low=True
    )


def test_a_line_that_has_begun_is_in_the_midst_of_its_pattern(tmp_path: Path) -> None:
    truth = Truth(tmp_path / "truth")
    line = VirtualState(StateSpec("s", pattern_ms=(100, 50), begun_ms=120), truth, 0)
    assert line.level()
    assert line.next_ns() == 30 * MS
    line.advance(30 * MS)
    assert not line.level()
    truth.close()


def test_cycles_are_read_as_they_were_played(tmp_path: Path) -> None:
    head = Scenario(
        (
            lamp("red", 1, 150, 150, first=True),
            lamp("amber", 2, 270, 30),
            lamp("green", 3, 120, 180, first=True, begun_ms=150),
        )
    )
    with street(tmp_path, head) as here:
        signal = opened(here)
        signal.read(boot_ms())
        until(lambda: _fed(signal) and signal.counts()["cycles"] > 3, "four cycles")
        values = dict(
            zip(map(_name, signal.measures()), signal.read(boot_ms()).values, strict=True)
        )
        assert values["cycle_length"] == pytest.approx(0.3, abs=0.02)
        assert values["red"] == pytest.approx(50, abs=15)
        assert values["conflicts"] == 0
        signal.close()


def test_a_conflict_is_told_with_its_stamp_and_a_line_that_vanishes_ends_the_wire(
    tmp_path: Path,
) -> None:
    head = Scenario(
        (
            lamp("red", 1, 86_400_000, first=True),
            lamp("amber", 2, 86_400_000),
            lamp("green", 3, 500, 86_400_000),
        )
    )
    events: list[Event] = []

    def told() -> list[Event]:
        events.extend(signal.feed(boot_ms()))
        return events

    with street(tmp_path, head) as here:
        signal = opened(here)
        until(told, "the alarm")
        (green,) = [line for line in here.truth() if line["channel"] == "green/state"]
        alarm = next(event for event in events if event.code is EventCode.SIGNAL_CONFLICT)
        assert abs((alarm.t_ms or 0) - int(str(green["t"]))) <= 2
        send_command(here.control, "amber", "vanish")
        with pytest.raises(BusError):
            until(lambda: not _fed(signal), "the end of the line")
        signal.close()


def _fed(signal: Signal) -> bool:
    signal.feed(boot_ms())
    return True


def _name(channel: object) -> str:
    return str(channel.name)  # type: ignore[attr-defined]
