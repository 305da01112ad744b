"""What the kernel of the guest is asked and told: modules, I2C drivers, and their files."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smbus2 import SMBus

from tests.lab.dongle import ADAPTERS, adapters
from tests.lab.parts import Shown
from tests.lab.registers import Image


def load(*words: str) -> None:
    """Load a module with its parameters; raises CalledProcessError."""
    subprocess.run(["modprobe", *words], check=True, capture_output=True)


def stub(addresses: list[int]) -> int:
    """Make a bus of chips that hold whatever is written; return its number."""
    before = adapters()
    load("i2c-stub", "chip_addr=" + ",".join(map(hex, addresses)))
    return (adapters() - before).pop()


def fill(bus: SMBus, address: int, image: Image, width: int) -> None:
    """Write an image to a chip of i2c-stub; SMBus words have their low byte first."""
    for register, value in image.registers.items():
        if width == 1:
            bus.write_byte_data(address, register, value, force=True)
        else:
            swapped = int.from_bytes(value.to_bytes(2, "little"), "big")
            bus.write_word_data(address, register, swapped, force=True)


class Bound:
    """A kernel driver on an address of a bus."""

    def __init__(self, number: int, kernel: str, address: int) -> None:
        self._adapter = ADAPTERS / f"i2c-{number}"
        self._address = address
        self._adapter.joinpath("new_device").write_text(f"{kernel} {address:#x}")
        self._device = ADAPTERS / f"{number}-{address:04x}"
        self._driver = (self._device / "driver").resolve(strict=True)

    @property
    def directory(self) -> Path:
        """Where the values are: an IIO or hwmon device."""
        return next(iter([*self._device.glob("iio:device*"), *self._device.glob("hwmon/hwmon*")]))

    def rebind(self) -> None:
        """Let the driver find its chip anew."""
        (self._driver / "unbind").write_text(self._device.name)
        (self._driver / "bind").write_text(self._device.name)

    def value(self, shown: Shown) -> float:
        """Return a value in the unit of ours; raises OSError where the kernel does."""
        return value(self.directory, shown)

    def remove(self) -> None:
        self._adapter.joinpath("delete_device").write_text(hex(self._address))


def value(directory: Path, shown: Shown) -> float:
    """Return what a file of sysfs shows, scaled."""
    scale = float((directory / shown.scale).read_text()) if shown.scale else 1.0
    return float((directory / shown.file).read_text()) * scale * shown.factor


@contextmanager
def bound(number: int, kernel: str, address: int) -> Iterator[Bound]:
    """Bind a kernel driver for the block."""
    driver = Bound(number, kernel, address)
    try:
        yield driver
    finally:
        driver.remove()
