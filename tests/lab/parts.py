"""The parts whose kernel driver is the oracle of ours: a row each.

To add one: which kernel driver, what it shows in sysfs, which driver of ours, and registers.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from edgenode.virtual.counts import EXAMPLE
from tests.lab.registers import Image, Manners

IMAGES: Final = 200
PLAIN: Final = Manners()


@dataclass(frozen=True)
class Shown:
    """A value of sysfs, in the unit of ours: `file` (times the value of `scale`) times `factor`."""

    file: str
    factor: float
    scale: str = ""


@dataclass(frozen=True)
class Generic:
    """What our driver of any kernel device is told of this one, and its channels by those above."""

    driver: str  # "iio" or "hwmon"
    device: str  # what its file `name` says
    read: Mapping[str, str]  # the value's name, by channel


@dataclass(frozen=True)
class Part:
    """One part at one address, for a kernel driver and for ours."""

    name: str
    kernel: str  # as new_device names it
    address: int
    image: Callable[[random.Random, random.Random], Image]  # of this measurement, of this part
    shown: Mapping[str, Shown]  # by channel
    step: Mapping[str, float]  # by channel: one step of the coarser of the two
    driver: str = ""  # entry point of ours; "" is a part that only the generic drivers read
    options: Mapping[str, Any] = field(default_factory=dict)
    manners: Manners = PLAIN
    lasts: int = IMAGES  # so many images are of one part; another one is opened anew
    generic: Generic | None = None


def bosch_memory(rng: random.Random, burnt: random.Random, chip_id: int) -> dict[int, int]:
    """Return calibration, id and results: trim near that of real chips, anything measured."""
    t_and_p = [
        value + burnt.randint(-abs(value) // 20 - 1, abs(value) // 20 + 1) for value in EXAMPLE[:12]
    ]
    low = struct.pack("<Hhh Hhhhhhhhh", *t_and_p)
    pressure, temperature = rng.randint(250_000, 480_000), rng.randint(380_000, 640_000)
    results = (pressure << 4).to_bytes(3, "big") + (temperature << 4).to_bytes(3, "big")
    return {0xD0: chip_id, **_laid(0x88, low), **_laid(0xF7, results)}


def bme280_image(rng: random.Random, burnt: random.Random) -> Image:
    h1, h2, h3 = burnt.randint(60, 90), burnt.randint(300, 420), burnt.randint(0, 20)
    h4, h5, h6 = burnt.randint(250, 400), burnt.randint(-100, 100), burnt.randint(-30, 40)
    shared = h4 & 0x0F | (h5 & 0x0F) << 4
    high = struct.pack("<hBbBbb", h2, h3, h4 >> 4, shared, h5 >> 4, h6)
    humidity = rng.randint(15_000, 45_000).to_bytes(2, "big")
    memory = bosch_memory(rng, burnt, 0x60)
    return Image({**memory, 0xA1: h1, **_laid(0xE1, high), **_laid(0xFD, humidity), 0xF3: 0})


def _laid(first: int, data: bytes) -> dict[int, int]:
    return {first + at: value for at, value in enumerate(data)}


def bmp280_image(rng: random.Random, burnt: random.Random) -> Image:
    return Image({**bosch_memory(rng, burnt, 0x58), 0xF3: 0})


def ads1115_image(rng: random.Random, _: random.Random) -> Image:
    # The thresholds and the low bits, never all 0, are what our driver knows an ADS1115 by.
    count = rng.randint(-0x7FF, 0x7FF) << 4 | rng.randint(1, 15)
    return Image({0: count & 0xFFFF, 2: 0x8000, 3: 0x7FFF})


def ina219_image(rng: random.Random, _: random.Random) -> Image:
    shunt, bus = rng.randint(-31_999, 31_999), rng.randint(0, 6_499)
    return Image({1: shunt & 0xFFFF, 2: bus << 3 | 0x0002, 3: 0})  # a pair is ready


def ina226_image(rng: random.Random, _: random.Random) -> Image:
    shunt, bus = rng.randint(-32_766, 32_766), rng.randint(0, 28_799)
    return Image({1: shunt & 0xFFFF, 2: bus, 6: 0x0008, 0xFE: 0x5449, 0xFF: 0x2260})


def lm75_image(rng: random.Random, _: random.Random) -> Image:
    return Image({0: rng.randint(-110, 250) << 7 & 0xFFFF})  # half degrees, -55 to 125


def tmp117_image(rng: random.Random, _: random.Random) -> Image:
    return Image({0: rng.randint(-55 * 128, 125 * 128) & 0xFFFF, 0x0F: 0x0117})


BOSCH: Final = Manners(masks={0xF4: (0xFC, 0)})  # every forced measurement is over
BME280: Final = Part(
    name="bme280",
    kernel="bme280",
    address=0x76,
    driver="bme280",
    image=bme280_image,
    shown={
        "temperature": Shown("in_temp_input", 0.001),
        "humidity": Shown("in_humidityrelative_input", 0.001),
        "pressure": Shown("in_pressure_input", 1000),
    },
    step={"temperature": 0.01, "humidity": 0.1, "pressure": 1.0},
    manners=BOSCH,
    lasts=4,  # then another calibration
    generic=Generic(
        "iio",
        "bme280",
        {"temperature": "temp", "humidity": "humidityrelative", "pressure": "pressure"},
    ),
)
BMP280: Final = Part(
    name="bmp280",
    kernel="bmp280",
    address=0x77,
    driver="bmp280",
    image=bmp280_image,
    shown={name: BME280.shown[name] for name in ("temperature", "pressure")},
    step={"temperature": 0.01, "pressure": 1.0},
    manners=BOSCH,
    lasts=4,  # then another calibration
    generic=Generic("iio", "bmp280", {"temperature": "temp", "pressure": "pressure"}),
)
ADS1115: Final = Part(
    name="ads1115",
    kernel="ads1115",
    address=0x48,
    driver="ads1115",
    options={
        "rate": 860,
        "inputs": [{"name": "voltage", "pins": "0", "range_v": "2.048"}],  # as the kernel's
    },
    image=ads1115_image,
    shown={"voltage": Shown("in_voltage0_raw", 0.001, "in_voltage0_scale")},
    step={"voltage": 0.000_01},
    manners=Manners(width=2, masks={1: (0xFFFF, 0x8000)}),  # every conversion is over
    generic=Generic("iio", "ads1015", {"voltage": "voltage0"}),
)
POWER: Final = {
    "voltage": Shown("in_voltage1_raw", 0.001, "in_voltage1_scale"),
    # The kernel's shunt is 10 mΩ unless told otherwise, and its voltage in mV.
    "current": Shown("in_voltage0_raw", 0.001 / 0.1, "in_voltage0_scale"),
}
INA219: Final = Part(
    name="ina219",
    kernel="ina219",
    address=0x40,
    driver="ina219",
    image=ina219_image,
    shown=POWER,
    step={"voltage": 0.001, "current": 0.0001},
    manners=Manners(width=2, turns={(0, 0x8000): 0x399F}),  # a reset
    generic=Generic("iio", "ina219", {"voltage": "voltage1"}),
)
INA226: Final = Part(
    name="ina226",
    kernel="ina226",
    address=0x41,
    driver="ina226",
    image=ina226_image,
    shown=POWER,
    step={"voltage": 0.001, "current": 0.00001},
    manners=Manners(width=2, turns={(0, 0x8000): 0x4127}),
    generic=Generic("iio", "ina226", {"voltage": "voltage1"}),
)
LM75: Final = Part(
    name="lm75",
    kernel="lm75",
    address=0x49,
    image=lm75_image,
    shown={"temperature": Shown("temp1_input", 0.001)},
    step={"temperature": 0.001},
    manners=Manners(width=2),
    generic=Generic("hwmon", "lm75", {"temperature": "temp1"}),
)
# The kernel of Debian 12 has no driver for a TMP117. The register is that of an LM75 with twelve
# bits, but for one place: half the scale, and an eighth of a degree is all that this oracle tells.
TMP117: Final = Part(
    name="tmp117",
    kernel="tmp75",
    address=0x4A,
    driver="tmp117",
    image=tmp117_image,
    shown={"temperature": Shown("temp1_input", 2 * 0.001)},
    step={"temperature": 0.125},
    manners=Manners(width=2, masks={1: (0xFFFF, 0x2000)}),  # always ready
)

PARTS: Final = (BME280, BMP280, ADS1115, INA219, INA226, LM75, TMP117)


@dataclass(frozen=True)
class Simulated:
    """A virtual instrument that the daemon reads, and the kernel driver for the same one."""

    sensor: str
    kernel: str
    shown: Mapping[str, Shown]
    step: Mapping[str, float]
    address: int
    bus: str = "street"


WEATHER: Final = {
    "temperature": Shown("temp1_input", 0.001),
    "humidity": Shown("humidity1_input", 0.001),
}
SIMULATED: Final = (
    Simulated("air", "bme280", BME280.shown, BME280.step, 0x76),
    Simulated("shade", "sht4x", WEATHER, {"temperature": 0.01, "humidity": 0.1}, 0x44),
    Simulated("yard", "bme280", BME280.shown, BME280.step, 0x76, "yard"),
    Simulated("roof", "bmp280", BMP280.shown, BMP280.step, 0x77, "yard"),
    Simulated("shed", "sht3x", WEATHER, {"temperature": 0.01, "humidity": 0.1}, 0x44, "yard"),
    Simulated("tank", "ads1115", ADS1115.shown, ADS1115.step, 0x48, "yard"),
    Simulated("battery", "ina219", INA219.shown, INA219.step, 0x40, "yard"),
    Simulated("panel", "ina226", INA226.shown, INA226.step, 0x41, "yard"),
)
