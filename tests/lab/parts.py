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
from tests.lab.registers import Image

IMAGES: Final = 200


@dataclass(frozen=True)
class Shown:
    """A value of sysfs, in the unit of ours: `file` (times the value of `scale`) times `factor`."""

    file: str
    factor: float
    scale: str = ""


@dataclass(frozen=True)
class Part:
    """One part at one address, for a kernel driver and for ours."""

    name: str
    kernel: str  # as new_device names it
    address: int
    driver: str  # entry point of ours
    image: Callable[[random.Random], Image]
    shown: Mapping[str, Shown]  # by our channel
    step: Mapping[str, float]  # by our channel: one step of the coarser of the two
    width: int = 1
    forced: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    rebind: bool = False  # the kernel driver reads what the image changes only when it is bound


def bosch_memory(rng: random.Random, chip_id: int) -> dict[int, int]:
    """Return calibration, id and results: trim near that of real chips, anything measured."""
    t_and_p = [
        value + rng.randint(-abs(value) // 20 - 1, abs(value) // 20 + 1) for value in EXAMPLE[:12]
    ]
    low = struct.pack("<Hhh Hhhhhhhhh", *t_and_p)
    pressure, temperature = rng.randint(250_000, 480_000), rng.randint(380_000, 640_000)
    results = (pressure << 4).to_bytes(3, "big") + (temperature << 4).to_bytes(3, "big")
    return {0xD0: chip_id, **_laid(0x88, low), **_laid(0xF7, results)}


def bme280_image(rng: random.Random) -> Image:
    h1, h2, h3 = rng.randint(60, 90), rng.randint(300, 420), rng.randint(0, 20)
    h4, h5, h6 = rng.randint(250, 400), rng.randint(-100, 100), rng.randint(-30, 40)
    shared = h4 & 0x0F | (h5 & 0x0F) << 4
    high = struct.pack("<hBbBbb", h2, h3, h4 >> 4, shared, h5 >> 4, h6)
    humidity = rng.randint(15_000, 45_000).to_bytes(2, "big")
    memory = bosch_memory(rng, 0x60)
    return Image({**memory, 0xA1: h1, **_laid(0xE1, high), **_laid(0xFD, humidity), 0xF3: 0})


def _laid(first: int, data: bytes) -> dict[int, int]:
    return {first + at: value for at, value in enumerate(data)}


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
    forced={0xF4: (0xFC, 0)},  # every forced measurement is over
    rebind=True,
)

PARTS: Final = (BME280,)


@dataclass(frozen=True)
class Simulated:
    """A virtual instrument that the daemon reads, and the kernel driver for the same one."""

    sensor: str
    kernel: str
    shown: Mapping[str, Shown]
    step: Mapping[str, float]
    address: int
    bus: str = "street"


SHT4X_SHOWN: Final = {
    "temperature": Shown("temp1_input", 0.001),
    "humidity": Shown("humidity1_input", 0.001),
}
SIMULATED: Final = (
    Simulated("air", "bme280", BME280.shown, BME280.step, 0x76),
    Simulated("yard", "bme280", BME280.shown, BME280.step, 0x76, "yard"),
    Simulated("shade", "sht4x", SHT4X_SHOWN, {"temperature": 0.01, "humidity": 0.1}, 0x44),
)
