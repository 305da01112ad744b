"""A meter of one household is not read by the minute, unless somebody says whom it serves."""

from __future__ import annotations

import pytest

from edgenode.config import parse
from tests.support.toml import WELL, problems

METER = """
[[bus]]
name = "meters"
kind = "serial"
path = "/dev/serial/by-id/usb-1"

[[sensor]]
name = "meter"
driver = "sdm120"
bus = "meters"
every_s = {every_s}
{serves}
purpose = "energy of one house"
"""
PULSE = """
[[bus]]
name = "lines"
kind = "gpio"
path = "/dev/gpiochip7"

[[sensor]]
name = "water"
driver = "pulse"
bus = "lines"
line = 5
observed = "{observed}"
every_s = 60
purpose = "water of one house"
"""


@pytest.mark.parametrize("serves", ["", 'serves = "household"'])
def test_a_meter_serves_a_household_and_is_read_each_quarter_of_an_hour(serves: str) -> None:
    (problem,) = problems(WELL + METER.format(every_s=899, serves=serves))
    assert "900 s at the finest, found 899" in problem
    assert 'serves = "building"' in problem
    (*_, meter) = parse(WELL + METER.format(every_s=900, serves=serves), "n.toml").sensors
    assert meter.household


@pytest.mark.parametrize("serves", ["building", "public"])
def test_a_meter_of_many_or_of_nobody_is_read_as_often_as_it_can_be(serves: str) -> None:
    text = METER.format(every_s=1, serves=f'serves = "{serves}"')
    (*_, meter) = parse(WELL + text, "n.toml").sensors
    assert not meter.household


def test_a_contact_that_counts_consumption_is_a_meter() -> None:
    (problem,) = problems(WELL + PULSE.format(observed="WaterConsumptionObserved/waterConsumption"))
    assert "900 s at the finest" in problem
    (*_, other) = parse(WELL + PULSE.format(observed="ItemFlowObserved/intensity"), "n").sensors
    assert not other.household


@pytest.mark.parametrize(
    "worth",
    [
        'per_pulse = 0.01\nunit = "m3"',
        'per_pulse = 10\nunit = "L"\nquantity = "hot_water_volume"',
        'per_pulse = 0.1\nunit = "m3"\nquantity = "gas_volume"',
        'pulses_per_unit = 1000\nunit = "kWh"',
        'per_pulse = 1\nunit = "Wh"\nquantity = "export_energy"',
        'per_pulse = 0.001\nunit = "GJ"',
    ],
)
def test_a_contact_whose_pulses_are_worth_energy_or_a_volume_is_a_meter(worth: str) -> None:
    text = WELL + PULSE.format(observed="") + worth + "\n"
    (problem,) = problems(text)
    assert "900 s at the finest, found 60" in problem
    (*_, meter) = parse(text.replace("every_s = 60", "every_s = 900"), "n").sensors
    assert meter.household
    (*_, fountain) = parse(text + 'serves = "public"\n', "n").sensors
    assert not fountain.household


@pytest.mark.parametrize("unit", ["mm", "m"])
def test_rain_and_wind_are_nobodys_consumption(unit: str) -> None:
    text = PULSE.format(observed="") + f'per_pulse = 0.2\nunit = "{unit}"\n'
    (*_, weather) = parse(WELL + text, "n").sensors
    assert not weather.household
