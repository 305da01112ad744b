"""Every quantity that a driver can declare has its words, in English and Korean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest

from drivers import aan803, hwmon, iec62056, iio, mbus_choice
from edgenode.derived import derivable
from edgenode.disclosure import LANGUAGES, said_of
from edgenode.disclosure.words import phrases, table
from edgenode.driver import declared, loadable
from edgenode.reading import Channel

FREE = ("modbus", "ads1115")  # where the installer chooses the names
# Options with which a part that varies has everything it can have.
MOST: dict[str, list[dict[str, Any]]] = {
    "dsmr": [
        {"phases": 3, "tariffs": 4, "devices": ["gas", "water", "hot_water", "heat", "cold"]},
    ],
    "hwmon": [{"device": "x", "read": [f"{kind}1" for kind in hwmon.TYPES]}],
    "iio": [{"device": "x", "read": [kind]} for kind in iio.TYPES],
    "iec62056": [{"registers": [{"code": code}]} for code in iec62056.KNOWN],
    "loop": [{"line": 1, "traffic": True}],
    "mbus": [{"records": [{"quantity": one} for one in mbus_choice.KEPT]}]
    + [
        {"records": [{"quantity": "power", "function": how, "storage": 1, "tariff": 2}]}
        for how in ("maximum", "minimum", "error")
    ],
    "ops243": [{"lengths": True}],
    "tfluna": [{"nearer_cm": 300, "mount_cm": 500}],
    "tfmini": [{"nearer_cm": 300, "mount_cm": 500}],
    "pulse": [
        {"line": 1, "per_pulse": 1, "unit": unit}
        for unit in ("Wh", "kWh", "MWh", "MJ", "GJ", "L", "m3", "mm", "m")
    ]
    + [{"line": 1, "per_pulse": 1, "unit": "m3", "quantity": "gas_volume"}],
}


def everything() -> Iterator[tuple[str, str, Channel]]:
    """Yield every channel that can be, with its driver and the model of that."""
    for name, driver in loadable().items():
        made = [
            declared(driver, msgspec.convert(options, driver.options))
            for options in MOST.get(name, [])
        ]
        for channels in [driver.channels, *made]:
            known = {channel.name: channel for channel in channels}
            derived = {n: d.channel for n, d in derivable(channels).items() if n not in known}
            for channel in [*known.values(), *derived.values()]:
                yield name, driver.model, channel


ALL = {
    (name, channel.name): (model, channel)
    for name, model, channel in everything()
    if name not in FREE
}
GASES = [f"{gas}{end}" for gas in (*get_args(aan803.Gas), "o3") for end in ("", "_we", "_ae")]


def is_generic(words: str) -> bool:
    return "\N{LEFT DOUBLE QUOTATION MARK}" in words


@pytest.mark.parametrize("which", ALL, ids="/".join)
def test_every_quantity_of_every_driver_is_said_in_plain_words(which: tuple[str, str]) -> None:
    model, channel = ALL[which]
    said = said_of(channel.name, model, channel.unit, channel.observed)
    for language in LANGUAGES:
        assert not is_generic(said.words[language]), "add a row to disclosure/data/quantities.json"
        assert "_" not in said.words[language]
    assert re.search("[가-힣]", said.words["ko"])


@pytest.mark.parametrize("quantity", GASES)
def test_every_gas_of_a_cell_is_said_in_plain_words(quantity: str) -> None:
    said = said_of(quantity, "Alphasense", "mV", "")
    assert said.theme == "air"
    assert not is_generic(said.words["en"])


def test_a_quantity_without_words_would_be_noticed() -> None:
    assert is_generic(said_of("flux_capacitance", "BME280", "F").words["en"])


def test_every_row_is_in_both_languages_and_of_a_theme_that_is_known() -> None:
    for name, row in table("quantities").items():
        assert row["theme"] in table("themes"), name
        assert set(row) == {"theme", *LANGUAGES}
        assert all(row[language].strip() for language in LANGUAGES)
    assert set(phrases("en")) == set(phrases("ko"))
    for theme in table("themes").values():
        assert {frozenset(theme[language]) for language in LANGUAGES} == {
            frozenset(("name", "not"))
        }


@pytest.mark.parametrize(
    ("quantity", "model", "observed", "theme", "words"),
    [
        ("pm25", "PMS5003", "AirQualityObserved/pm25", "air", "fine dust up to 2.5"),
        ("count", "loop", "", "traffic", "number of vehicles"),
        ("count", "pulse", "", "contact", "a contact has closed"),
        ("count", "pulse", "TrafficFlowObserved/intensity", "traffic", "number of vehicles"),
        ("vehicles_toward", "OPS243-A", "", "traffic", "vehicles, towards the sensor"),
        ("temperature", "node", "", "device", "the node's processor"),
        ("temperature_raw", "BME280", "", "weather", "temperature, before correction"),
        ("volume", "M-Bus meter", "WaterConsumptionObserved/waterConsumption", "water", "volume"),
        ("kitchen_volume", "pulse", "", "meters", "in all (kitchen_volume)"),
        ("wind", "Modbus part", "WeatherObserved/windSpeed", "weather", "wind speed (wind)"),
    ],
)
def test_words_follow_the_part_and_what_is_observed(
    quantity: str, model: str, observed: str, theme: str, words: str
) -> None:
    said = said_of(quantity, model, "", observed)
    assert said.theme == theme
    assert words in said.words["en"]


@pytest.mark.parametrize("quantity", ["level", "count", "temperature"])
def test_a_name_that_an_installer_has_chosen_is_told_by_name_and_unit(quantity: str) -> None:
    said = said_of(quantity, "Modbus part", "mm")
    assert said.theme == "other"
    assert quantity in said.words["en"]
    assert "mm" in said.words["en"]


def test_what_is_counted_on_a_road_is_said_never_to_be_a_picture_or_a_plate() -> None:
    denial = table("themes")["traffic"]["en"]["not"]
    assert "no pictures, no sound, no number plates" in denial
    assert "only sums leave the node" in denial
