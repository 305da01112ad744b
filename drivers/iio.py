"""Any part with a driver in Linux's Industrial I/O: its values by the kernel's own files.

Datasheet: Linux Documentation/ABI/testing/sysfs-bus-iio: names, units, and that a value is
(raw + offset) * scale where there is no processed `_input`. The same rules are in libiio.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

from drivers.attributes import DeviceOptions, KernelDevice, Measured, judged, number, only_known
from edgenode.driver import Options
from edgenode.reading import Channel, Quality

# The unit of the file ("What:" entries of the ABI), turned into ours. Percent of gas is by volume.
TYPES: Final = {
    "temp": Measured("temperature", "Cel", 1e-3, -3, "WeatherObserved/temperature"),
    "humidityrelative": Measured("humidity", "%RH", 1e-3, -2, "WeatherObserved/relativeHumidity"),
    "pressure": Measured("pressure", "Pa", 1e3, -1, "WeatherObserved/atmosphericPressure"),
    "voltage": Measured("voltage", "V", 1e-3, -5),
    "current": Measured("current", "A", 1e-3, -5),
    "power": Measured("power", "W", 1e-3, -4),
    "resistance": Measured("resistance", "Ohm", 1.0, 0),
    "illuminance": Measured("illuminance", "lx", 1.0, -1),
    "distance": Measured("distance", "m", 1.0, -4),
    "concentration_co2": Measured("co2", "ppm", 1e4, 0, "AirQualityObserved/co2"),
    "concentration_voc": Measured("voc", "ppb", 1e7, 0),
    "massconcentration_pm1": Measured("pm1", "ug/m3", 1.0, -1, "AirQualityObserved/pm1"),
    "massconcentration_pm2p5": Measured("pm25", "ug/m3", 1.0, -1, "AirQualityObserved/pm25"),
    "massconcentration_pm4": Measured("pm4", "ug/m3", 1.0, -1),
    "massconcentration_pm10": Measured("pm10", "ug/m3", 1.0, -1, "AirQualityObserved/pm10"),
}
DIGITS: Final = "0123456789"
PARTS: Final = re.compile(r"[a-z]+([0-9]*)(?:-[a-z]+([0-9]*))?(?:_[a-z0-9]+)?")


class IIOOptions(DeviceOptions, frozen=True):
    """Which device, and which of its values: "temp", "voltage0", "voltage0-voltage1"."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value that has no unit here, or is named twice."""
        only_known(self.read, IIO.channel, TYPES)


class IIO(KernelDevice):
    """One device of Industrial I/O; the part measures when a file is read."""

    model: ClassVar[str] = "IIO device"
    options: ClassVar[type[Options]] = IIOOptions
    channels: ClassVar[tuple[Channel, ...]] = (TYPES["temp"].channel(),)
    budget_s: ClassVar[float] = 4.0  # a particle or gas sensor takes a second a file
    shelf: ClassVar[str] = "sys/bus/iio/devices"
    inner: ClassVar[str] = ""
    file: ClassVar[re.Pattern[str]] = re.compile(r"in_(.+)_(?:input|raw)")

    @staticmethod
    def channel(name: str) -> Channel | None:
        """Return the channel of a value: voltage0, or voltage0_1 of a difference of two."""
        parts = PARTS.fullmatch(name)
        kind = TYPES.get(_names(name)[0])
        if parts is None or kind is None:
            return None
        return kind.channel("_".join(which for which in parts.groups() if which))

    def value(self, name: str) -> tuple[float | None, Quality]:
        """Return the processed value, else (raw + offset) * scale."""
        kind, shared = _names(name)
        factor = TYPES[kind].factor
        text = self.text(f"in_{name}_input")
        if text is not None:
            return judged(text, number(text), factor)
        text = self.text(f"in_{name}_raw")
        raw = number(text)
        if raw is not None:
            offset, scale = (self._either((name, *shared), w) for w in ("offset", "scale"))
            raw = (raw + (offset or 0.0)) * (1.0 if scale is None else scale)
        return judged(text, raw, factor)

    def _either(self, names: tuple[str, ...], what: str) -> float | None:
        """Return the scale or offset of a value; all of its type may share one file."""
        numbers = (number(self.text(f"in_{name}_{what}")) for name in names)
        return next((found for found in numbers if found is not None), None)


def _names(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the type of a value, and whose scale it may share: voltage of voltage0."""
    base, _, modifier = name.partition("_")
    first, minus, _ = base.partition("-")
    bare = first.rstrip(DIGITS)
    kind = f"{bare}_{modifier}" if modifier else bare
    return kind, (f"{bare}-{bare}" if minus else kind, bare)
