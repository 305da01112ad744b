"""Known answers of the iio and hwmon drivers, and changes that must not give them.

Numbers as Linux's own drivers print them for the examples of datasheets: bmp280 25080 m°C and
100.653253906 kPa, ads1015 16384 at 0.0625 mV a step, ina2xx 4016 mV and 1004 mA.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from edgenode.errors import DriverError
from edgenode.reading import Quality
from tests.support.boards import FakeTree
from tests.support.devices import hwmon, iio

WEATHER = iio(
    0,
    "bme280",
    {
        "in_temp_input": "25080",
        "in_humidityrelative_input": "41500",
        "in_pressure_input": "100.653253906",
    },
    "1-0076",
)
ADC = iio(
    1,
    "ads1015",
    {
        "in_voltage0_raw": "16384",
        "in_voltage0_scale": "0.062500000",
        "in_voltage0-voltage1_raw": "-200",
        "in_voltage0-voltage1_scale": "3.000000000",
        "in_voltage0-voltage1_offset": "20",
        "in_voltage2-voltage3_raw": "50",
        "in_voltage-voltage_scale": "4.000000000",
        "in_voltage1_raw": "100",
        "in_voltage_scale": "2.000000000",
    },
)
GASES = iio(
    2,
    "sps30",
    {
        "in_massconcentration_pm2p5_input": "9.50",
        "in_concentration_co2_raw": "50",
        "in_concentration_co2_scale": "0.001",
    },
)
SUPPLY = hwmon(
    0,
    "ina219",
    {"in1_input": "4016", "curr1_input": "-1004", "power1_average": "4032000"},
    "1-0040",
)
BOARD = hwmon(
    1,
    "lm75",
    {
        "temp1_input": "25125",
        "temp2_input": "99000",
        "temp2_fault": "1",
        "energy1_input": "7200000000",
        "fan1_input": "1200",
        "humidity1_input": "41500",
    },
)
FILES = {**WEATHER, **ADC, **GASES, **SUPPLY, **BOARD}

IIO_MUTANTS = (
    ('"Cel", 1e-3', '"Cel", 1e-2'),
    ('"%RH", 1e-3', '"%RH", 1e-2'),
    ('"Pa", 1e3', '"Pa", 1e2'),
    ('Measured("voltage", "V", 1e-3', 'Measured("voltage", "V", 1.0'),
    ('"ppm", 1e4', '"ppm", 1e6'),
    ("(raw + (offset or 0.0))", "(raw - (offset or 0.0))"),
    ("* (1.0 if scale is None else scale)", "/ (1.0 if scale is None else scale)"),
    ("(name, *shared)", "(name,)"),
    ("_names(name)[0]", "_names(name)[1][0]"),
    ('("offset", "scale")', '("scale", "offset")'),
    ("in_{name}_input", "in_{name}_raw"),
    ('f"{bare}-{bare}" if minus else kind', "kind"),
    ('"_".join(which', '"".join(which'),
)
HWMON_MUTANTS = (
    ('"Cel", 1e-3', '"Cel", 1e-2'),
    ('"%RH", 1e-3', '"%RH", 1.0'),
    ('"V", 1e-3', '"V", 1.0'),
    ('"A", 1e-3', '"A", 1e-6'),
    ('"W", 1e-6', '"W", 1e-3'),
    ("1e-6 / 3600", "1e-6 / 360"),
    ('"1/min", 1.0', '"1/min", 60.0'),
    ("{name}_average", "{name}_mean"),
    ("{name}_fault", "{name}_alarm"),
    ('== "1"', '== "0"'),
    ("return None, Quality.FAULT", "return None, Quality.MISSING"),
    ("kind=Kind.COUNTER", "kind=Kind.GAUGE"),
)


def read(driver: Any, options: Any) -> Any:
    """Return quantities with values and qualities of one read."""
    sensor = driver(FakeTree(dict(FILES)), options)
    sample = sensor.read(0)
    quality = sample.quality or (Quality.OK,) * len(sample.values)
    rows = zip(sensor.measures(), sample.values, quality, strict=True)
    return {channel.name: (value, int(how)) for channel, value, how in rows}


def close(found: Any, known: dict[str, tuple[float | None, int]]) -> bool:
    """Whether the same quantities have the same values, but for rounding."""
    return list(found) == list(known) and all(
        found[name][1] == how
        and (found[name][0] == value or found[name][0] == pytest.approx(value, rel=1e-9))
        for name, (value, how) in known.items()
    )


def iio_holds(module: ModuleType) -> bool:
    """Whether values of three devices are read in our units."""

    def told(device: str, *names: str) -> Any:
        return read(module.IIO, module.IIOOptions(device=device, read=names))

    try:
        return (
            close(
                told("bme280", "temp", "humidityrelative", "pressure"),
                {"temperature": (25.08, 0), "humidity": (41.5, 0), "pressure": (100653.253906, 0)},
            )
            and close(
                told("ads1015", "voltage0", "voltage1", "voltage0-voltage1", "voltage2-voltage3"),
                {
                    "voltage0": (1.024, 0),
                    "voltage1": (0.2, 0),
                    "voltage0_1": (-0.54, 0),
                    "voltage2_3": (0.2, 0),
                },
            )
            and close(
                told("sps30", "massconcentration_pm2p5", "concentration_co2"),
                {"pm25": (9.5, 0), "co2": (500.0, 0)},
            )
        )
    except (DriverError, ValueError):
        return False


def hwmon_holds(module: ModuleType) -> bool:
    """Whether values of two devices are read in our units, and none of a broken sensor."""

    def told(device: str, *names: str) -> Any:
        return read(module.Hwmon, module.HwmonOptions(device=device, read=names))

    try:
        energy = module.Hwmon.channel("energy1")
        return (
            close(
                told("ina219", "in1", "curr1", "power1"),
                {"voltage1": (4.016, 0), "current1": (-1.004, 0), "power1": (4.032, 0)},
            )
            and close(
                told("lm75", "temp1", "temp2", "energy1", "fan1", "humidity1"),
                {
                    "temperature1": (25.125, 0),
                    "temperature2": (None, int(Quality.FAULT)),
                    "energy1": (2.0, 0),
                    "fan1": (1200.0, 0),
                    "humidity1": (41.5, 0),
                },
            )
            and energy.kind == 1
        )
    except (DriverError, ValueError):
        return False
