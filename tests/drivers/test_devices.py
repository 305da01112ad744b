"""Devices of the kernel are known by their names and places, never by their numbers."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.ds18b20 import DS18B20, DS18B20Options
from drivers.hwmon import Hwmon, HwmonOptions
from drivers.iio import IIO, IIOOptions
from edgenode.errors import BadFrame, BusError, ImpossibleValue, WrongDevice
from edgenode.reading import Quality
from tests.drivers.known_devices import FILES
from tests.drivers.known_ds18b20 import POWER_ON, ROM, WARM
from tests.support.boards import FakeTree
from tests.support.devices import IIO as SHELF
from tests.support.devices import W1, hwmon, iio, w1

TEMP = {"in_temp_input": "20000"}


def test_of_two_devices_with_a_name_the_place_decides() -> None:
    tree = FakeTree({**iio(0, "bme280", TEMP, "1-0076"), **iio(1, "bme280", TEMP, "3-0077")})
    tree.files[f"{SHELF}/iio:device1/in_temp_input"] = "30000"
    with pytest.raises(WrongDevice, match=r'at = "1-0076".*1-0076, 3-0077'):
        IIO(tree, IIOOptions(device="bme280", read=("temp",)))
    options = IIOOptions(device="bme280", read=("temp",), at="3-0077")
    assert IIO(tree, options).read(0).values == (30.0,)


def test_a_device_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(BusError, match=r"no bmp180 .*there are: ads1015, bme280, sps30"):
        IIO(FakeTree(dict(FILES)), IIOOptions(device="bmp180", read=("temp",)))


def test_a_device_that_took_the_number_of_another_is_not_read_for_it() -> None:
    tree = FakeTree(hwmon(3, "lm75", {"temp1_input": "20000"}))
    sensor = Hwmon(tree, HwmonOptions(device="lm75", read=("temp1",)))
    assert sensor.read(0).values == (20.0,)
    tree.files.update(hwmon(3, "cpu_thermal", {"temp1_input": "80000"}))
    with pytest.raises(BusError, match="its number is another device's"):
        sensor.read(0)


def test_a_value_without_a_file_is_missing_and_nonsense_is_a_fault() -> None:
    files = {"in_temp_input": "20000", "in_pressure_input": "nan"}
    tree = FakeTree(iio(0, "bme280", files))
    options = IIOOptions(device="bme280", read=("temp", "humidityrelative", "pressure"))
    sample = IIO(tree, options).read(0)
    assert sample.values == (20.0, None, None)
    assert sample.quality == (Quality.OK, Quality.MISSING, Quality.FAULT)


def test_a_device_that_gives_nothing_at_all_is_lost() -> None:
    tree = FakeTree(iio(0, "bme280", TEMP))
    sensor = IIO(tree, IIOOptions(device="bme280", read=("temp",)))
    del tree.files[f"{SHELF}/iio:device0/in_temp_input"]
    with pytest.raises(BusError, match="reads nothing"):
        sensor.read(0)


@pytest.mark.parametrize("name", ["accel_x", "temp-", "Temp", "activity"])
def test_a_value_without_a_unit_here_is_a_mistake_of_the_file(name: str) -> None:
    with pytest.raises(ValueError, match="no value with a unit here"):
        IIOOptions(device="x", read=(name,))


@pytest.mark.parametrize("options", [IIOOptions, HwmonOptions])
def test_a_value_that_is_named_twice_is_a_mistake_of_the_file(options: Any) -> None:
    with pytest.raises(ValueError, match="two values are called"):
        options(device="x", read=("temp1", "temp1"))


def test_a_survey_tells_what_each_device_can_give() -> None:
    found = {one.words: one.options for one in IIO.survey(FakeTree(dict(FILES)))}
    weather = found["bme280: humidityrelative, pressure, temp"]
    assert weather == {
        "device": "bme280",
        "read": ["humidityrelative", "pressure", "temp"],
        "at": "1-0076",
    }
    assert "sps30: concentration_co2, massconcentration_pm2p5" in found
    (board, supply) = sorted(Hwmon.survey(FakeTree(dict(FILES))), key=lambda one: one.words)[::-1]
    assert board.words.startswith("lm75: ")
    assert supply.options["at"] == "1-0040"


def test_the_power_on_value_is_no_temperature() -> None:
    tree = FakeTree(w1(ROM, WARM, 25_062))
    sensor = DS18B20(tree, DS18B20Options(id=ROM))
    tree.files.update(w1(ROM, POWER_ON, 85_000))
    with pytest.raises(ImpossibleValue, match="before its first conversion"):
        sensor.read(0)


def test_a_part_that_was_pulled_out_is_lost_and_the_others_are_named() -> None:
    tree = FakeTree({**w1(ROM, WARM, 25_062), **w1("10-000801b5a7a6", WARM, 25_062)})
    tree.files[f"{W1}/w1_bus_master1/name"] = "w1_bus_master1"
    with pytest.raises(BusError, match=r"there are: 10-000801b5a7a6, 28-0316a2795bff\)"):
        DS18B20(tree, DS18B20Options(id="28-000000000000"))
    names = [one.options["id"] for one in DS18B20.survey(tree)]
    assert names == ["10-000801b5a7a6", ROM]


def test_a_part_that_the_kernel_gets_no_answer_from_is_lost() -> None:
    with pytest.raises(BusError, match="does not answer the kernel"):
        DS18B20(FakeTree({f"{W1}/{ROM}/w1_slave": ""}), DS18B20Options(id=ROM))


@pytest.mark.parametrize("text", ["garbage", "91 01 : crc=25 YES\nt=25062"])
def test_a_file_that_is_no_answer_is_a_bad_frame(text: str) -> None:
    with pytest.raises(BadFrame, match="no whole answer"):
        DS18B20(FakeTree({f"{W1}/{ROM}/w1_slave": text}), DS18B20Options(id=ROM))
