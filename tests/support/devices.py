"""Files of the kernel's sensors as IIO, hwmon and 1-Wire show them, on a FakeTree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

IIO: Final = "sys/bus/iio/devices"
HWMON: Final = "sys/class/hwmon"
I2C: Final = "sys/bus/i2c/devices"
W1: Final = "sys/bus/w1/devices"


def iio(number: int, name: str, files: Mapping[str, str], at: str = "") -> dict[str, str]:
    """Return the files of one device, with the I2C client that it belongs to."""
    entry = f"iio:device{number}"
    found = {f"{IIO}/{entry}/{file}": text for file, text in {"name": name, **files}.items()}
    return found | ({f"{I2C}/{at}/{entry}/name": name} if at else {})


def hwmon(number: int, name: str, files: Mapping[str, str], at: str = "") -> dict[str, str]:
    """Return the files of one device, with the I2C client that it belongs to."""
    entry = f"hwmon{number}"
    found = {f"{HWMON}/{entry}/{file}": text for file, text in {"name": name, **files}.items()}
    return found | ({f"{I2C}/{at}/hwmon/{entry}/name": name} if at else {})


def w1(rom: str, scratchpad: bytes, millidegrees: int, *, good: bool = True) -> dict[str, str]:
    """Return the file of one part as drivers/w1/slaves/w1_therm.c of Linux prints it."""
    bytes_ = scratchpad.hex(" ")
    crc = f"{bytes_} : crc={scratchpad[8]:02x} {'YES' if good else 'NO'}"
    return {f"{W1}/{rom}/w1_slave": f"{crc}\n{bytes_} t={millidegrees}"}
