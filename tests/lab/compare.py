"""In the guest: the kernel's drivers and ours on the same registers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Final

import msgspec
from smbus2 import SMBus

from edgenode.bus import open_i2c
from edgenode.driver import Driver
from tests.lab.dongle import Dongle
from tests.lab.kernel import bound, fill, stub
from tests.lab.parts import IMAGES, PARTS, Part
from tests.lab.registers import Image, RegisterChip

SEED: Final = 20260101
PORT: Final = 0


class Bench:
    """A bus of i2c-stub for the kernel's drivers, and a dongle with the same parts for ours."""

    def __init__(self) -> None:
        self.stub = stub([part.address for part in PARTS])
        self.chips = {part.name: RegisterChip(part.width, part.forced) for part in PARTS}
        self.dongle = Dongle({part.address: self.chips[part.name] for part in PARTS}, PORT)

    def compared(self, part: Part) -> dict[str, Any]:
        """Return the registers of a part, and what both drivers made of them."""
        return _compared(part, self.stub, self.dongle.path, self.chips[part.name])


def _compared(part: Part, number: int, path: str, chip: RegisterChip) -> dict[str, Any]:
    rng = random.Random(SEED)
    images = [part.image(rng) for _ in range(IMAGES)]
    return {
        "images": [dict(image.registers) for image in images],
        "kernel": _kernels(part, number, images),
        "ours": [_ours(part, path, chip, image) for image in images],
    }


def _kernels(part: Part, number: int, images: list[Image]) -> list[dict[str, float]]:
    found = []
    with SMBus(number) as bus:
        fill(bus, part.address, images[0], part.width)
        with bound(number, part.kernel, part.address) as driver:
            for image in images:
                fill(bus, part.address, image, part.width)
                if part.rebind:
                    driver.rebind()
                found.append({name: driver.value(shown) for name, shown in part.shown.items()})
    return found


def _ours(part: Part, path: str, chip: RegisterChip, image: Image) -> dict[str, float | None]:
    chip.load(image)
    driver = opened(part.driver, path, part.address, part.options)
    try:
        sample = driver.read(0)
    finally:
        driver.close()
    names = [channel.name for channel in driver.channels]
    return {
        name: value for name, value in zip(names, sample.values, strict=True) if name in part.shown
    }


@cache
def driver_class(name: str) -> Any:
    """Find a driver of ours by its entry point, as the node does."""
    (entry,) = entry_points(group="edgenode.drivers", name=name)
    return entry.load()


def opened(name: str, path: str, address: int, options: Mapping[str, Any]) -> Driver:
    """Open a driver of ours on an address of a bus."""
    kind = driver_class(name)
    settings = msgspec.convert({"address": address, **options}, kind.options)
    driver: Driver = kind(open_i2c(path, address), settings)
    return driver
