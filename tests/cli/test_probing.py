"""Every sensor is opened and read once, and none keeps the others waiting."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from edgenode.advice import REASONS
from edgenode.cli import check as check_verb
from edgenode.cli import probing
from edgenode.cli.probing import Finding, Reading, probe
from edgenode.config import BusTable, Config, Sensor, parse
from edgenode.driver import Driver, Options
from edgenode.errors import BusTimeout, WrongDevice
from edgenode.reading import Channel, Event, Quality, Sample
from tests.support.toml import WELL


class Part(Driver):
    """A part whose read is what a test makes of it."""

    wire = "sysfs"
    model = "part"
    options = Options
    channels: ClassVar[tuple[Channel, ...]] = (Channel("level", "m", scale=-1),)
    budget_s = 0.02
    fastest_s = 0.02

    def __init__(self, wire: Any, options: Options) -> None:
        del wire, options

    def read(self, now_ms: int) -> Sample:
        return Sample((2.25,))

    def close(self) -> None:
        pass


class Hanging(Part):
    """A read that does not come back while the test lasts."""

    released: ClassVar[threading.Event]

    def read(self, now_ms: int) -> Sample:
        self.released.wait(30)
        raise BusTimeout("late")


class Wrong(Part):
    def read(self, now_ms: int) -> Sample:
        raise WrongDevice("0x60 expected, 0x58 answers")


class Defect(Part):
    def read(self, now_ms: int) -> Sample:
        raise ZeroDivisionError("division by zero")


class Mute(Part):
    def read(self, now_ms: int) -> Sample:
        return Sample((None,), (Quality.STALE,))


class Talking(Part):
    """It has something to say only when it was fed twice."""

    def __init__(self, wire: Any, options: Options) -> None:
        super().__init__(wire, options)
        self._fed = 0
        self._ready = os.eventfd(1)

    def fileno(self) -> int:
        return self._ready

    def feed(self, now_ms: int) -> Sequence[Event]:
        self._fed += 1
        return ()

    def read(self, now_ms: int) -> Sample:
        if self._fed < 2:
            raise BusTimeout("nothing whole has arrived")
        return Sample((2.25,))

    def close(self) -> None:
        os.close(self._ready)


class Slow(Part):
    """It has its first value when it is read for the second time."""

    def __init__(self, wire: Any, options: Options) -> None:
        super().__init__(wire, options)
        self._reads = 0

    def read(self, now_ms: int) -> Sample:
        self._reads += 1
        if self._reads < 2:
            return Sample((None,), (Quality.SETTLING,))
        return Sample((2.25,), (Quality.SETTLING,))


class Warming(Part):
    def read(self, now_ms: int) -> Sample:
        return Sample((None,), (Quality.SETTLING,))


class Meeting(Part):
    """Two of them are read at the same time, or neither is."""

    both: ClassVar[threading.Barrier]
    budget_s = 5.0

    def read(self, now_ms: int) -> Sample:
        self.both.wait(5)
        return Sample((2.25,))


def config(*buses: tuple[str, list[type[Part]]]) -> Config:
    """A configuration with these parts on these buses, named by their place."""
    tables = [BusTable(name, "sysfs", "/") for name, _ in buses]
    sensors = [
        Sensor(f"{bus.name}{n}", part, Options(), bus, 1000, 50, "")
        for bus, (_, parts) in zip(tables, buses, strict=True)
        for n, part in enumerate(parts)
    ]
    plain = parse(WELL)
    return Config(
        plain.node,
        plain.site,
        plain.clock,
        plain.spool,
        plain.uplink,
        tuple(tables),
        tuple(sensors),
    )


def found(*buses: tuple[str, list[type[Part]]]) -> list[Finding]:
    return list(probe(config(*buses), lambda: 0))


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(probing, "GRACE_S", 0.05)
    Hanging.released = threading.Event()
    yield
    Hanging.released.set()


def test_a_value_is_told_with_its_unit_as_fine_as_the_part_knows_it() -> None:
    ((reading,),) = [finding.readings for finding in found(("a", [Part]))]
    assert (reading.channel, reading.value, reading.unit, reading.quality) == (
        "a0/level",
        2.2,
        "m",
        "ok",
    )


@pytest.mark.usefixtures("hanging")
def test_a_part_that_hangs_costs_its_own_bus_and_no_other() -> None:
    first, second, third = found(("a", [Hanging, Part]), ("b", [Part]))
    assert first.problem.startswith("did not return within 0.")
    assert first.advice == REASONS["bus-stuck"]
    assert second.problem == "not tried: a0 holds the bus"
    assert third.readings


def test_what_is_wrong_is_told_with_what_to_do() -> None:
    wrong, defect, mute = found(("a", [Wrong, Defect, Mute]))
    assert (wrong.problem, wrong.advice) == (
        "0x60 expected, 0x58 answers",
        REASONS["wrong-device"],
    )
    assert defect.problem == "ZeroDivisionError: division by zero"
    assert "defect of the driver" in defect.advice
    assert mute.problem == "no value: stale"
    assert not any(finding.readings for finding in (wrong, defect, mute))


def test_what_talks_by_itself_is_listened_to_until_it_has_said_something() -> None:
    (finding,) = found(("a", [Talking]))
    assert finding.readings


def test_a_part_that_has_not_measured_yet_is_given_time_for_its_first_value() -> None:
    (finding,) = found(("a", [Slow]))
    assert [reading.value for reading in finding.readings] == [2.2]


def test_a_part_that_warms_up_for_longer_works_and_says_that_it_does() -> None:
    (finding,) = found(("a", [Warming]))
    assert finding.problem == ""
    assert [(r.value, r.quality) for r in finding.readings] == [(None, "settling")]


def test_buses_are_read_at_the_same_time_and_told_in_their_order() -> None:
    Meeting.both = threading.Barrier(2)
    first, second = found(("a", [Meeting]), ("b", [Meeting]))
    assert (first.sensor, second.sensor) == ("a0", "b0")
    assert first.readings
    assert second.readings


def test_a_sensor_is_told_in_lines_that_break_between_values(
    capsys: pytest.CaptureFixture[str],
) -> None:
    readings = tuple(Reading(f"a/speed_{n}", -0.001, "km/h", "ok", 1) for n in range(9))
    readings += (
        Reading("a/ratio", 1.0, "/", "clamped", 0),
        Reading("a/gap", None, "s", "missing", 0),
    )
    check_verb._tell(Finding("a", "b", readings), check_verb.Report(Path("f"), quiet=False))
    said = capsys.readouterr().out
    assert said == (
        "a on b: speed_0 0.0 km/h, speed_1 0.0 km/h, speed_2 0.0 km/h, speed_3 0.0 km/h,"
        " speed_4 0.0 km/h,\n  speed_5 0.0 km/h, speed_6 0.0 km/h, speed_7 0.0 km/h,"
        " speed_8 0.0 km/h, ratio 1 (clamped);\n  no value yet (missing): gap\n"
    )
