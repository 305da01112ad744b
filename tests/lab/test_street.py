"""The daemon on a real kernel: equal to the kernel's drivers, exact, and back by itself."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from edgenode.reading import EventCode, Quality
from tests.lab.conftest import Rows, Step
from tests.lab.parts import SIMULATED, Simulated

pytestmark = [pytest.mark.root, pytest.mark.timeout(400)]
ROUNDING = 1e-9
PERIOD_MS = 500  # of the sensors on both I2C buses
NUMBERS = (Quality.OK, Quality.SETTLING)
# What each driver of lines tells of the edges of gpio-sim: the sensor, and its channel.
COUNTED = {
    "pulse": ("meter", "count"),
    "loop": ("lane", "count"),
    "state": ("door", "changes"),
    "signal": ("head", "changes"),
}


@pytest.fixture
def street(step: Step) -> Any:
    return step("street")


@pytest.fixture
def at(street: Any) -> Any:
    return street["moments"]


@pytest.mark.parametrize("part", SIMULATED, ids=lambda part: part.sensor)
def test_the_daemon_reads_what_the_kernels_driver_reads(
    part: Simulated, street: Any, city: Rows
) -> None:
    for channel, step in part.step.items():
        name = f"{part.sensor}/{channel}"
        values = [value for _, value, quality in city.of(name) if quality == Quality.OK]
        assert len(values) >= 5
        assert max(abs(value - street["kernel"][name]) for value in values) <= step + ROUNDING, name


def test_pulses_and_vehicles_are_exact_also_while_the_daemon_may_not_run(
    street: Any, city: Rows
) -> None:
    for name, channel in COUNTED.values():
        _, total, quality = city.of(f"{name}/{channel}")[-1]
        assert (total, quality) == (street["edges"][name], Quality.OK)
    assert city.events(EventCode.COUNTER_RESET) == []


def test_edges_that_nobody_read_in_time_are_said_to_be_unread(at: Any, city: Rows) -> None:
    unread = [value for _, value, _ in city.of("meter/unread", at["frozen"], at["held"])]
    assert sum(value or 0 for value in unread) > 0


def test_every_change_of_a_state_is_an_event(city: Rows) -> None:
    told = [
        value for _, channel, value in city.events(EventCode.STATE_CHANGED) if "door" in channel
    ]
    assert [value.strip("[]").split(",")[0] for value in told] == ["1", "0", "1"]


def test_red_beside_green_is_one_alarm_and_a_conflict_that_is_counted(city: Rows) -> None:
    assert len(city.events(EventCode.SIGNAL_CONFLICT)) == 1
    _, conflicts, quality = city.of("head/conflicts")[-1]
    assert (conflicts, quality) == (1, Quality.OK)
    phases = [value for _, value, _ in city.of("head/phase")]
    assert {1, 5} <= set(phases), "red alone, then red and green"


def test_a_bus_that_is_held_has_rows_without_numbers(at: Any, city: Rows) -> None:
    for name in ("air/temperature", "shade/humidity"):
        rows = city.of(name, at["held"] + PERIOD_MS, at["let go"])
        assert rows
        assert {value for _, value, _ in rows} == {None}
        assert not {quality for _, _, quality in rows} & set(NUMBERS)
    stuck, recovered = city.events(EventCode.BUS_STUCK), city.events(EventCode.BUS_RECOVERED)
    assert len(recovered) == len(stuck) >= 1
    assert all(at["held"] <= t <= at["unplugged"] for t, *_ in [*stuck, *recovered])


def test_a_bus_that_is_let_go_or_plugged_in_elsewhere_is_found_by_itself(
    street: Any, at: Any, city: Rows
) -> None:
    numbers = street["numbers"]
    assert numbers["after"] != numbers["before"] == numbers["other"]
    lost, found = city.events(EventCode.SENSOR_LOST), city.events(EventCode.SENSOR_FOUND)
    assert [t >= at["held"] for t, *_ in lost] == [True] * 4  # two sensors, held and unplugged
    assert len(found) == len(lost)
    assert at["back"] <= found[-1][0] <= at["well again"]
    for name in ("air/temperature", "shade/temperature"):
        rows = city.of(name, at["well again"], at["stopped"])
        assert len(rows) >= 3
        assert {quality for _, _, quality in rows} == {Quality.OK}


def test_an_unplugged_bus_is_let_go_at_once_also_for_a_sensor_that_is_seldom_read(
    at: Any,
) -> None:
    # Before the last descriptor is closed the kernel has no room on the hub for anything else.
    assert at["back"] - at["another"] < 2_000


def test_no_number_is_told_while_the_bus_is_out(at: Any, city: Rows) -> None:
    for name in ("air/temperature", "shade/temperature"):
        rows = city.of(name, at["unplugged"] + PERIOD_MS, at["another"])
        assert rows
        assert {value for _, value, _ in rows} == {None}


def test_the_other_buses_notice_nothing(at: Any, city: Rows) -> None:
    rows = city.of("yard/temperature", at["well"], at["stopped"])
    assert {quality for _, _, quality in rows} == {Quality.OK}
    gaps = [after - before for (before, *_), (after, *_) in itertools.pairwise(rows)]
    assert max(gaps) <= 2 * PERIOD_MS
    for name in ("meter/count", "lane/count"):
        assert {q for _, _, q in city.of(name, at["well"], at["stopped"])} == {Quality.OK}


def test_the_daemon_leaves_in_order(street: Any, job: Path) -> None:
    assert street["exit"] == 0
    assert street["health"] == "well"
    assert "Traceback" not in (job / "daemon.log").read_text()


def test_scan_names_what_stands_on_real_buses_and_leaves_alone_what_the_kernel_holds(
    street: Any,
) -> None:
    scan = street["scan"]
    assert scan["street"] == {"0x44": "sht4x", "0x76": "bme280", "0x77": "bme280"}
    yard = scan["yard"]
    assert {place: yard[place] for place in ("0x41", "0x48", "0x77")} == {
        "0x41": "ina226",
        "0x48": "ads1115",
        "0x77": "bmp280",
    }
    assert "held by the kernel's driver bmp280" in yard["0x76"]
    assert "ina219" in yard["0x40"]  # it has no id: set up by the kernel it is only a guess
    assert list(scan["pins"]) == [""], "no line is held"
    assert scan["pins"][""].startswith("7 lines, free: 0-6")
