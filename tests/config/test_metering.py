"""What may be said of totals and of parts that wear, and what is refused as nonsense."""

from __future__ import annotations

import pytest

from edgenode.config import parse
from edgenode.config.model import Sensor
from edgenode.errors import ConfigError
from edgenode.node.sensors import groups, rules
from edgenode.reading import Kind
from edgenode.sensing import LeakRules, LifeRules, MeterRules
from tests.support.toml import WELL

HEAD = WELL[: WELL.index("[[bus]]")]
BUSES = """
[[bus]]
name = "meters"
kind = "serial"
path = "/dev/serial/by-id/usb-1"
[[bus]]
name = "pins"
kind = "gpio"
path = "/dev/gpiochip0"
[[bus]]
name = "gas"
kind = "i2c"
path = "/dev/i2c-1"
[[sensor]]
"""
SDM = 'name = "m"\ndriver = "sdm120"\nbus = "meters"\nevery_s = 900\npurpose = "energy"\n'
PULSE = 'name = "m"\ndriver = "pulse"\nbus = "pins"\nline = 5\nevery_s = 900\npurpose = "water"\n'
WATER = f'{PULSE}per_pulse = 0.01\nunit = "m3"\n'
SPS30 = 'name = "m"\ndriver = "sps30"\nbus = "gas"\nevery_s = 60\npurpose = "air"\n'
SHT4X = 'name = "m"\ndriver = "sht4x"\nbus = "gas"\nevery_s = 60\npurpose = "air"\n'
ENERGY = "[sensor.channel.import_energy]\n"
COUNT = "[sensor.channel.count]\n"


def sensor(text: str) -> Sensor:
    """Return the sensor of a file that has but one."""
    (found,) = parse(HEAD + BUSES + text).sensors
    return found


def problems(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        sensor(text)
    return str(caught.value)


def test_what_is_said_of_a_register_reaches_the_rules_of_its_channel() -> None:
    text = f"{SDM}{ENERGY}modulus = 100000\nmost_per_h = 12.5\nregister = true\n"
    rule = rules(sensor(text)).channels["import_energy"]
    assert rule.meter == MeterRules(100_000, 12.5, register=True)
    assert rules(sensor(SDM)).channels == {}


def test_a_register_that_travels_is_a_gauge_behind_the_channels_of_the_part() -> None:
    config = parse(f"{HEAD}{BUSES}{SDM}{ENERGY}register = true\n")
    (group,) = groups(config).values()
    assert [c.name for c in group.channels[-2:]] == ["m/export_energy", "m/import_energy_register"]
    assert group.channels[-1].kind is Kind.GAUGE


def test_a_leak_has_a_pause_of_half_an_hour_unless_the_file_says_another() -> None:
    given = rules(sensor(f"{PULSE}{COUNT}leak_after_h = 24\nquiet_min = 60\n")).channels["count"]
    assert given.leak == LeakRules(24 * 3600, 3600)
    usual = rules(sensor(f"{PULSE}{COUNT}leak_after_h = 24\n")).channels["count"]
    assert usual.leak == LeakRules(24 * 3600, 1800)


def test_the_day_of_installation_makes_the_life_of_a_part_known() -> None:
    text = SPS30 + 'installed = "2026-04-01"\n'
    life = rules(sensor(text)).life
    assert life == LifeRules(87_660, "fan and laser", installed="2026-04-01")
    assert rules(sensor(SPS30)).life is None, "nobody knows how long it has worked"


def test_a_rate_may_be_asked_for_by_the_name_of_its_total() -> None:
    asked = 'derived = ["power_mean", "export_power_mean"]\n'
    (group,) = groups(parse(HEAD + BUSES + SDM + asked)).values()
    assert [(c.name, c.unit) for c in group.channels[-2:]] == [
        ("m/power_mean", "W"),
        ("m/export_power_mean", "W"),
    ]


def test_what_pulses_are_worth_has_a_rate_and_may_leak() -> None:
    asked = 'derived = ["volume_flow"]\n[sensor.channel.volume]\nleak_after_h = 24\n'
    config = parse(HEAD + BUSES + WATER + asked)
    (group,) = groups(config).values()
    assert [c.name for c in group.channels] == ["m/count", "m/unread", "m/volume", "m/volume_flow"]
    assert rules(config.sensors[0]).channels["volume"].leak == LeakRules(24 * 3600, 1800)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{SDM}[sensor.channel.power]\nmodulus = 10000\n", "goes with a total that the part"),
        (f"{SDM}[sensor.channel.power]\nregister = true\n", "goes with a total that the part"),
        (f"{PULSE}{COUNT}modulus = 10000\n", "this is counted here, without an end"),
        (f"{SDM}{ENERGY}modulus = 0.015\n", "expected many whole steps of 0.01 kWh, found 0.015"),
        (f"{SDM}{ENERGY}modulus = 1e300\n", "expected many whole steps"),
        (f"{SDM}{ENERGY}most_per_h = 0\n", "expected a number above 0"),
        (f"{SDM}{ENERGY}leak_after_h = 24\n", "goes with a total in one of L, count, m3"),
        (f"{PULSE}[sensor.channel.unread]\nleak_after_h = 24\n", "goes with a total in one of"),
        (f"{PULSE}{COUNT}quiet_min = 30\n", "goes with leak_after_h"),
        (f"{PULSE}{COUNT}leak_after_h = 24\nquiet_min = 10\n", "write quiet_min = 15 or more"),
        (f"{PULSE}{COUNT}leak_after_h = 1\nquiet_min = 60\n", "longer than the pause of 60 min"),
        (f"{PULSE}{COUNT}leak_after_h = 0\n", "expected hours, 1 to 8760"),
        (f'{SHT4X}installed = "2026-04-01"\n', "nothing is known of how long a SHT4x lasts"),
        (f"{WATER}[sensor.channel.volume]\nmodulus = 10000\n", "this is counted here, without"),
        (f"{WATER}[sensor.channel.volume]\nregister = true\n", "this is counted here, without"),
        (f"{PULSE}per_pulse = 0.01\n", "worth so much of what? write a unit"),
        (f'{PULSE}per_pulse = 0.01\nunit = "gal"\n', '"L" or "m3"'),
        (f'{PULSE}per_pulse = 0.0\nunit = "m3"\n', "expected a number, 1e-9 to 1e6, found 0.0"),
        (f'{WATER}edge = "both"\n', "a pulse counts twice"),
        (f'{WATER}derived = ["power_mean"]\n', "no quantity 'power_mean' can be derived"),
        (f'{SPS30}installed = "2026-02-30"\n', "there is no such day, found '2026-02-30'"),
        (f'{SPS30}installed = "last May"\n', "a date in quotes, YYYY-MM-DD"),
        (f'{SDM}derived = ["volume_flow"]\n', "no quantity 'volume_flow' can be derived"),
    ],
)
def test_nonsense_is_refused_with_what_to_write(text: str, problem: str) -> None:
    assert problem in problems(text)


def numbered(n: int) -> str:
    return PULSE.replace('"m"', f'"m{n}"').replace("line = 5", f"line = {n}")


def test_the_time_of_a_leak_takes_a_place_among_the_totals() -> None:
    many = "".join(f"[[sensor]]\n{numbered(n)}" for n in range(64))
    head = HEAD + BUSES.removesuffix("[[sensor]]\n")
    assert len(parse(head + many).sensors) == 64
    worth = many.replace("every_s", 'per_pulse = 0.01\nunit = "m3"\nevery_s')
    assert len(parse(head + worth).sensors) == 64, "what pulses are worth follows from a count"
    with pytest.raises(ConfigError, match="more than 64 counters"):
        parse(f"{head}{many}{COUNT}leak_after_h = 24\n")
