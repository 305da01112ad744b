"""In the guest: the kernel's drivers and ours on the same registers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Final

import msgspec
from smbus2 import SMBus

from edgenode.bus import open_i2c, open_tree
from edgenode.driver import Driver
from tests.lab.dongle import Dongle
from tests.lab.kernel import bound, fill, stub
from tests.lab.parts import IMAGES, PARTS, Part
from tests.lab.registers import Image, RegisterChip

SEED: Final = 20260101
PORT: Final = 0

Readings = list[dict[str, float | None]]


class Bench:
    """A bus of i2c-stub for the kernel's drivers, and a dongle with the same parts for ours."""

    def __init__(self) -> None:
        self._stub = stub([part.address for part in PARTS])
        self._chips = {part.name: RegisterChip(part.manners) for part in PARTS}
        self._dongle = Dongle({part.address: self._chips[part.name] for part in PARTS}, PORT)

    def compared(self, part: Part) -> dict[str, Any]:
        """Return the registers of a part, and what the drivers made of them."""
        rng = random.Random(SEED)
        images = [part.image(rng, random.Random(n // part.lasts)) for n in range(IMAGES)]
        kernels, generic = self._kernels(part, images)
        return {
            "images": [dict(image.registers) for image in images],
            "kernel": kernels,
            "generic": generic,
            "ours": self._ours(part, images) if part.driver else [],
        }

    def close(self) -> None:
        """Unplug the dongle."""
        self._dongle.unplug()

    def _kernels(self, part: Part, images: list[Image]) -> tuple[Readings, Readings]:
        """Return what the kernel's files say, and what our driver for any of them reads there."""
        kernels: Readings = []
        generic: Readings = []
        with SMBus(self._stub) as bus:
            fill(bus, part.address, images[0], part.manners.width)
            with bound(self._stub, part.kernel, part.address) as driver:
                reader = _generic(part, f"{self._stub}-{part.address:04x}")
                for n, image in enumerate(images):
                    fill(bus, part.address, image, part.manners.width)
                    if n % part.lasts == 0:
                        driver.rebind()
                        reader = _generic(part, f"{self._stub}-{part.address:04x}")
                    kernels.append({name: driver.value(at) for name, at in part.shown.items()})
                    if part.generic and reader:
                        values = reader.read(0).values
                        generic.append(dict(zip(part.generic.read, values, strict=True)))
        return kernels, generic

    def _ours(self, part: Part, images: list[Image]) -> Readings:
        chip, found = self._chips[part.name], []
        chip.load(images[0])
        driver = opened(part.driver, self._dongle.path, part.address, part.options)
        for n, image in enumerate(images):
            chip.load(image)
            if n % part.lasts == 0:
                driver.close()
                driver = opened(part.driver, self._dongle.path, part.address, part.options)
            names = [channel.name for channel in driver.measures()]
            sample = dict(zip(names, driver.read(0).values, strict=True))
            found.append({name: sample[name] for name in part.shown})
        driver.close()
        return found


def _generic(part: Part, at: str) -> Driver | None:
    if part.generic is None:
        return None
    kind = driver_class(part.generic.driver)
    words = {"device": part.generic.device, "read": [*part.generic.read.values()], "at": at}
    driver: Driver = kind(open_tree("/"), msgspec.convert(words, kind.options))
    return driver


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
