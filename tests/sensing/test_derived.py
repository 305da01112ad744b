"""What is computed over time: counters and powers, and what they did not see."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode.derived import DERIVED, derivable
from edgenode.reading import Channel, EventCode, Group, Kind, Quality, Total
from edgenode.sensing.board import Board
from edgenode.sensing.derived import Energy, Flow, formula
from edgenode.sensing.totals import ResetReason
from tests.support.sensing import FakeSink

OK = (Quality.OK,)
MINUTE_MS = 60_000
COUNT = Channel("loop/count", "count", kind=Kind.COUNTER)
POWER = Channel("meter/power", "W")
ENERGY = Channel("meter/energy", "Wh", -1, kind=Kind.COUNTER)
METER = Group(3, (POWER, ENERGY))


def test_flow_is_counts_an_hour_over_the_time_that_really_passed() -> None:
    flow = Flow(0, MINUTE_MS)
    assert flow.derive((100,), OK, 0) == (None, Quality.SETTLING, ())
    assert flow.derive((110,), OK, MINUTE_MS) == (600.0, Quality.OK, ())
    assert flow.derive((None,), (Quality.MISSING,), 2 * MINUTE_MS) == (None, Quality.MISSING, ())
    assert flow.derive((130,), OK, 3 * MINUTE_MS) == (600.0, Quality.OK, ())


def test_a_read_soon_after_another_neither_makes_a_flow_nor_loses_a_count() -> None:
    flow = Flow(0, MINUTE_MS)
    for count, t_ms in ((0, 0), (10, MINUTE_MS), (13, MINUTE_MS + 100)):
        cell = flow.derive((count,), OK, t_ms)
    assert cell.value == 600.0
    assert flow.derive((30,), OK, 2 * MINUTE_MS).value == 1200.0


def test_a_flow_over_an_interruption_is_estimated_once() -> None:
    flow = Flow(0, MINUTE_MS)
    flow.opened()
    flow.derive((0,), OK, 0)
    flow.opened()
    assert flow.derive((5,), OK, MINUTE_MS) == (300.0, Quality.ESTIMATED, ())
    assert flow.derive((10,), OK, 2 * MINUTE_MS) == (300.0, Quality.OK, ())


def test_a_counter_that_falls_is_a_fault() -> None:
    flow = Flow(0, MINUTE_MS)
    flow.derive((990,), OK, 0)
    assert flow.derive((10,), OK, MINUTE_MS) == (None, Quality.FAULT, ())


def test_over_more_than_three_periods_a_rate_is_estimated() -> None:
    flow = Flow(0, MINUTE_MS)
    flow.derive((0,), OK, 0)
    assert flow.derive((4,), OK, 3 * MINUTE_MS) == (80.0, Quality.OK, ())
    assert flow.derive((8,), OK, 6 * MINUTE_MS + 1).quality is Quality.ESTIMATED
    assert flow.derive((9,), OK, 7 * MINUTE_MS + 1) == (60.0, Quality.OK, ())


def test_a_total_that_does_not_go_on_has_no_rate_until_two_reads_later() -> None:
    flow = Flow(0, MINUTE_MS)
    flow.derive((100,), OK, 0)
    flow.broken(1)
    assert flow.derive((110,), OK, MINUTE_MS).value == 600.0
    flow.broken(0)
    assert flow.derive((110,), OK, 2 * MINUTE_MS) == (None, Quality.MISSING, ())
    assert flow.derive((120,), OK, 3 * MINUTE_MS) == (600.0, Quality.OK, ())


def test_a_meter_that_was_lost_has_counted_all_the_same() -> None:
    flow = Flow(0, MINUTE_MS, watched=True)
    flow.derive((0,), OK, 0)
    flow.opened()
    assert flow.derive((5,), OK, MINUTE_MS) == (300.0, Quality.OK, ())


METERED = (
    Channel("import_energy", "kWh", -2, Kind.COUNTER),
    Channel("export_energy", "kWh", -2, Kind.COUNTER),
    Channel("gas_volume", "m3", -3, Kind.COUNTER),
    Channel("total", "L", kind=Kind.COUNTER),
    Channel("heat_energy", "GJ", -3, Kind.COUNTER),
    Channel("volume", "m3"),
)


def test_the_rate_of_a_total_is_called_as_the_total_is() -> None:
    made = {name: (*d.sources, d.channel.unit) for name, d in derivable(METERED).items() if d.each}
    assert made == {
        "flow": ("count", "1/h"),
        "import_power_mean": ("import_energy", "W"),
        "power_mean": ("import_energy", "W"),
        "export_power_mean": ("export_energy", "W"),
        "gas_volume_flow": ("gas_volume", "m3/h"),
        "total_volume_flow": ("total", "L/min"),
        "heat_power_mean": ("heat_energy", "W"),
    }


def test_the_only_total_of_its_kind_needs_no_other_name() -> None:
    assert "volume_flow" in derivable(METERED[2:3])
    assert "volume_flow" not in derivable(METERED)
    assert "power_mean" in derivable(METERED[4:])


@pytest.mark.parametrize(
    ("unit", "counted", "rate"),
    # A unit in an hour: 1 kWh/h is 1,000 W, 3.6 MJ are 1 kWh, 60 L/h are 1 L/min, and
    # 3,600 m of wind in an hour 1 m/s.
    [
        ("Wh", 1, 1),
        ("kWh", 1, 1_000),
        ("MWh", 1, 1e6),
        ("MJ", 3.6, 1_000),
        ("GJ", 3.6, 1e6),
        ("L", 60, 1),
        ("m3", 2, 2),
        ("mm", 3, 3),
        ("m", 3600, 1),
    ],
)
def test_rates_are_in_the_unit_that_people_read(unit: str, counted: float, rate: float) -> None:
    total = Channel("t", unit, kind=Kind.COUNTER)
    made = next(made for name, made in derivable((total,)).items() if name.startswith("t_"))
    group = Group(1, (Channel("s/t", unit, kind=Kind.COUNTER), made.channel))
    hourly = formula(made, 1, group, FakeSink(), 60 * MINUTE_MS, Board(), {})
    hourly.derive((7.0,), OK, 0)
    value, quality, _ = hourly.derive((7.0 + counted,), OK, 60 * MINUTE_MS)
    assert value == pytest.approx(rate)
    assert quality is Quality.OK


def test_the_rate_of_the_way_of_the_wind_is_what_a_city_knows_as_its_speed() -> None:
    made = derivable((Channel("wind_run", "m", kind=Kind.COUNTER),))["wind_speed"].channel
    assert (made.unit, made.observed) == ("m/s", "WeatherObserved/windSpeed")


def energy(sink: FakeSink, every_ms: int = MINUTE_MS) -> Energy:
    return Energy(0, 1, METER, sink, every_ms)


def test_energy_is_the_area_under_the_power_and_durable() -> None:
    sink = FakeSink()
    meter = energy(sink)
    values = [meter.derive((p,), OK, n * MINUTE_MS).value for n, p in enumerate((0, 600, 600))]
    assert values == [0.0, 5.0, 15.0]
    assert sink.totals["meter/energy"].value == 150  # tenths of a Wh, as the channel's scale


@given(st.lists(st.floats(0, 5000), min_size=2, max_size=60))
def test_what_is_less_than_a_step_is_not_lost(powers: list[float]) -> None:
    meter, sink = energy(FakeSink(), 1000), FakeSink()
    meter = energy(sink, 1000)
    for n, power in enumerate(powers):
        value = meter.derive((power,), OK, n * 1000).value
    area_wh = sum((a + b) / 2 for a, b in pairwise(powers)) / 3600
    assert value is not None
    assert value == pytest.approx(area_wh, abs=0.1)


def test_power_that_is_fed_back_counts_nothing() -> None:
    meter = energy(FakeSink())
    values = [meter.derive((-600,), OK, n * MINUTE_MS).value for n in range(4)]
    assert values == [0.0] * 4


def test_up_to_three_periods_are_bridged_and_more_are_told() -> None:
    sink = FakeSink()
    meter = energy(sink)
    meter.derive((600.0,), OK, 0)
    assert meter.derive((600.0,), OK, 3 * MINUTE_MS) == (30.0, Quality.OK, ())
    gap_ms = 3 * MINUTE_MS + 1
    value, quality, events = meter.derive((600.0,), OK, 3 * MINUTE_MS + gap_ms)
    assert (value, quality) == (30.0, Quality.ESTIMATED)
    assert events[0].code == EventCode.COUNTER_RESET
    assert events[0].channel == 1
    assert events[0].value == (300, 300, gap_ms, ResetReason.REOPENED)
    assert meter.derive((600.0,), OK, 4 * MINUTE_MS + gap_ms).quality is Quality.OK


def test_numbers_that_are_not_ok_add_no_energy_and_lend_it_their_quality() -> None:
    meter = energy(FakeSink())
    meter.derive((600.0,), OK, 0)
    assert meter.derive((9e9,), (Quality.OUT_OF_RANGE,), MINUTE_MS) == (
        0.0,
        Quality.OUT_OF_RANGE,
        (),
    )
    assert meter.derive((None,), (Quality.MISSING,), MINUTE_MS) == (None, Quality.MISSING, ())
    assert meter.derive((600.0,), OK, 2 * MINUTE_MS).value == 20.0


@pytest.mark.parametrize(
    ("epoch", "gap_ms", "reason"), [(1, 4000, ResetReason.RESTART), (2, -1, ResetReason.REBOOT)]
)
def test_after_a_restart_energy_goes_on_and_says_what_it_did_not_see(
    epoch: int, gap_ms: int, reason: int
) -> None:
    sink = FakeSink(epoch)
    sink.totals["meter/energy"] = Total(777, 1, 1000)
    value, quality, events = energy(sink).derive((600.0,), OK, 5000)
    assert (value, quality) == (77.7, Quality.ESTIMATED)
    assert events[0].value == (777, 777, gap_ms, reason)


def test_everything_that_is_offered_can_be_computed() -> None:
    for name, made in DERIVED.items():
        sources = [Channel(f"s/{source}", unit) for source, unit in made.sources.items()]
        channels = (*sources, Channel(f"s/{name}", made.channel.unit, made.channel.scale))
        group = Group(1, channels)
        made_of = formula(made, len(sources), group, FakeSink(), 1000, Board(), {})
        values = (20.0, 50.0)[: len(sources)]
        made_of.derive(values, OK * len(sources), 0)
        cell = made_of.derive(values, OK * len(sources), 1000)
        assert cell.value is not None, name
        assert cell.quality is Quality.OK, name
