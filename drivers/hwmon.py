"""Any part with a driver in Linux's hardware monitoring: its values by the kernel's own files.

Datasheet: Linux Documentation/hwmon/sysfs-interface.rst: names and units, and that a `_fault` of 1
means that the value is not to be trusted. The same rules are in libsensors.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

from drivers.attributes import DeviceOptions, KernelDevice, Measured, judged, number, only_known
from edgenode.driver import Options
from edgenode.reading import Channel, Kind, Quality

# m°C, m%, mV, mA, µW, µJ, revolutions a minute.
TYPES: Final = {
    "temp": Measured("temperature", "Cel", 1e-3, -3),
    "humidity": Measured("humidity", "%RH", 1e-3, -2),
    "in": Measured("voltage", "V", 1e-3, -3),
    "curr": Measured("current", "A", 1e-3, -3),
    "power": Measured("power", "W", 1e-6, -3),
    "energy": Measured("energy", "Wh", 1e-6 / 3600, -3, kind=Kind.COUNTER),
    "fan": Measured("fan", "1/min", 1.0, 0),
}
DIGITS: Final = "0123456789"
PARTS: Final = re.compile(r"([a-z]+)([0-9]+)")


class HwmonOptions(DeviceOptions, frozen=True):
    """Which device, and which of its values: "temp1", "in1", "curr1"."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value that has no unit here, or is named twice."""
        only_known(self.read, Hwmon.channel, (f"{kind}1" for kind in TYPES))


class Hwmon(KernelDevice):
    """One device of hardware monitoring; most measure by themselves about once a second."""

    model: ClassVar[str] = "hwmon device"
    options: ClassVar[type[Options]] = HwmonOptions
    channels: ClassVar[tuple[Channel, ...]] = (TYPES["temp"].channel("1"),)
    budget_s: ClassVar[float] = 1.0
    shelf: ClassVar[str] = "sys/class/hwmon"
    inner: ClassVar[str] = "hwmon"
    file: ClassVar[re.Pattern[str]] = re.compile(r"([a-z]+[0-9]+)_(?:input|average)")

    @staticmethod
    def channel(name: str) -> Channel | None:
        """Return the channel of a value: temperature1 of temp1."""
        parts = PARTS.fullmatch(name)
        kind = TYPES.get(parts[1]) if parts else None
        return kind.channel(parts[2]) if parts and kind else None

    def value(self, name: str) -> tuple[float | None, Quality]:
        """Return the newest value, else the average, which some power meters have instead."""
        kind = TYPES[name.rstrip(DIGITS)]
        text = self.text(f"{name}_input")
        if text is None:
            text = self.text(f"{name}_average")
        if self.text(f"{name}_fault") == "1":
            return None, Quality.FAULT
        return judged(text, number(text), kind.factor)
