"""In the guest: our driver for 1-Wire thermometers over the kernel's ds2482 and w1_therm."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from edgenode.bus import open_tree
from edgenode.driver import Driver
from edgenode.errors import DriverError
from tests.lab.compare import driver_class
from tests.lab.dongle import Dongle
from tests.lab.kernel import bound
from tests.lab.onewire import Thermometer, WireBridge
from tests.lab.waiting import until

ADDRESS: Final = 0x18
PORT: Final = 6
READINGS: Final = 20


def thermometers() -> dict[str, Any]:
    """Return what was set, what the kernel made of it and what we did; and what is refused."""
    parts = Thermometer(0x0123456789AB), Thermometer(0x0123456789AC)
    dongle = Dongle({ADDRESS: WireBridge(*parts)}, PORT)
    rng = random.Random(28)
    with bound(dongle.number, "ds2482", ADDRESS):
        files = [Path(f"/sys/bus/w1/devices/{part.name}/w1_slave") for part in parts]
        until(lambda: all(file.exists() for file in files))
        kind = driver_class("ds18b20")
        drivers = [_opened(kind, part) for part in parts]
        rows = []
        for n in range(READINGS):
            part, driver, file = parts[n % 2], drivers[n % 2], files[n % 2]
            part.celsius = rng.randint(-110, 250) / 2
            kernels = int(file.read_text().rpartition("t=")[2])
            rows.append([part.celsius, kernels, driver.read(0).values[0]])
        surveyed = sorted(found.options["id"] for found in kind.survey(open_tree("/")))
        parts[0].weak = True
        weak = _words(lambda: drivers[0].read(0))
        parts[0].there = False
        away = _words(lambda: drivers[0].read(0))
    dongle.unplug()
    return {"rows": rows, "surveyed": surveyed, "weak": weak, "away": away}


def _opened(kind: Any, part: Thermometer) -> Driver:
    driver: Driver = kind(open_tree("/"), msgspec.convert({"id": part.name}, kind.options))
    return driver


def _words(call: Callable[[], object]) -> str:
    try:
        call()
    except DriverError as exc:
        return f"{type(exc).__name__}: {exc}"
    return ""
