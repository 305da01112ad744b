"""Known answers of the INA219 and INA226 drivers, and changes that must not give them.

INA219: bus 0x1F60 and shunt 0x03E8 are 4.016 V and 10 mV in Linux's ina2xx driver and Adafruit's.
INA226: a dump of a real part (groeck/module-tests, scripts/ina2xx.sh and register-dumps): bus
0x0A4B, shunt 0x137F and power 0x0292 at 10 mΩ are 3294 mV, 12 mV, 1248 mA and 4112.5 mW.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from edgenode.errors import EdgenodeError, WrongDevice
from edgenode.reading import Quality, Sample
from edgenode.virtual.series import Play
from edgenode.virtual.supply import (
    Ina219Spec,
    Ina226Spec,
    VirtualINA219,
    VirtualINA226,
    VirtualMonitor,
)
from tests.support.beds import Address, Bed
from tests.support.fake_words import FakeWords

CLAMPED, OK = Quality.CLAMPED, Quality.OK
SUPPLY: dict[str, Any] = {"voltage": Play(offset=12.0), "current": Play(offset=-1.5)}

OF_INA219 = (
    ("RESET_CONFIG: Final = 0x399F", "RESET_CONFIG: Final = 0x399D"),
    ("INA226_RESET_CONFIG: Final = 0x4127", "INA226_RESET_CONFIG: Final = 0x4128"),
    ("CONTINUOUS: Final = 0x0007", "CONTINUOUS: Final = 0x0003"),
    ("OF_32_V: Final = 0x2000", "OF_32_V: Final = 0x1000"),
    ("GAIN_AT: Final = 11", "GAIN_AT: Final = 12"),
    ("BUS_ADC_AT: Final = 7", "BUS_ADC_AT: Final = 8"),
    ("SHUNT_ADC_AT: Final = 3", "SHUNT_ADC_AT: Final = 2"),
    ("160: 2, 320: 3", "160: 3, 320: 2"),
    ("64: 0xE", "64: 0xD"),
    ("SAMPLE_S: Final = 0.000586", "SAMPLE_S: Final = 0.000286"),
    ("SHUNT_V: Final = 10e-6", "SHUNT_V: Final = 1e-6"),
    ("COUNTS_PER_MV: Final = 100", "COUNTS_PER_MV: Final = 10"),
    ("BUS_V: Final = 4e-3", "BUS_V: Final = 5e-3"),
    ("BUS_AT: Final = 3", "BUS_AT: Final = 2"),
    ("CONVERSION_READY: Final = 0x0002", "CONVERSION_READY: Final = 0x0004"),
    ("decode(signed(shunt)", "decode(shunt"),
    ("self._words.get(REG_POWER)  # clears", "self._words.get(REG_SHUNT)  # clears"),
)
OF_INA226 = (
    ("MANUFACTURER: Final = 0x5449", "MANUFACTURER: Final = 0x4954"),
    ("DIE: Final = 0x226", "DIE: Final = 0x227"),
    ("DIE_AT: Final = 4", "DIE_AT: Final = 0"),
    ("RESERVED: Final = 0x4000", "RESERVED: Final = 0x0000"),
    ("CONTINUOUS: Final = 0x0007", "CONTINUOUS: Final = 0x0003"),
    ("OF_1_1_MS: Final = 0x0120", "OF_1_1_MS: Final = 0x0100"),
    ("AVERAGING_AT: Final = 9", "AVERAGING_AT: Final = 10"),
    ("64: 3", "64: 4"),
    ("SAMPLE_S: Final = 0.00121", "SAMPLE_S: Final = 0.00021"),
    ("SHUNT_V: Final = 2.5e-6", "SHUNT_V: Final = 2.0e-6"),
    ("BUS_V: Final = 1.25e-3", "BUS_V: Final = 1.0e-3"),
    ("MOST: Final = 0x7FFF", "MOST: Final = 0x7FFE"),
    ("NEVER: Final = 0x8000", "NEVER: Final = 0x4000"),
    ("CONVERSION_READY: Final = 0x0008", "CONVERSION_READY: Final = 0x0010"),
    ("decode(signed(shunt)", "decode(shunt"),
    ("get(REG_MASK)", "get(REG_CONFIG)"),
)
OF_BOTH = (
    ("shunt * self.shunt_v / ohms", "shunt * self.shunt_v * ohms"),
    ("volts * amperes", "volts + amperes"),
    ("bus * self.bus_v", "bus * self.shunt_v"),
    ("abs(shunt) >=", "abs(shunt) >"),
    ("abs(shunt) >=", "shunt >="),
    ("bus >= self.bus_most", "bus > self.bus_most"),
    ("of_voltage or of_current)", "of_voltage)"),
    ("low=-most_a", "low=0"),
    ("+ 1e-9", "- 1e-9"),
    ("math.floor", "math.ceil"),
)


def played(driver: Any, options: Any, chip: type[VirtualMonitor], spec: Any) -> tuple[Any, ...]:
    """Return two samples a second apart, the naps of the first, and how the chip is set up."""
    bed = Bed()
    wire = Address(bed, chip(spec, bed.truth, bed.now_ns))
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        bed.sleep(seconds)

    sensor = driver(wire, options, sleep=nap)
    first = sensor.read(0)
    slept = sum(naps)
    bed.sleep(1)
    second = sensor.read(0)
    return first, second, slept, wire.instrument._config, wire.instrument._ready(bed.now_ns)


def near(sample: Sample, *values: float) -> bool:
    """Whether a sample has these values, all of them ok."""
    return sample.values == pytest.approx(values, rel=1e-9, abs=1e-12) and not sample.quality


def ina219_holds(module: ModuleType) -> bool:
    """Whether an INA219 is set up, awaited, decoded and told apart as the datasheet says."""
    try:
        made = module.INA219Options(range_mv=160, bus_v=16, averages=64, shunt_ohm=0.1)
        known = module.INA219Options()
        first, second, slept, config, left = played(
            module.INA219, made, VirtualINA219, Ina219Spec("x", **SUPPLY)
        )
        held = module.decode(0x8300, 0x1F40 << 3, known)
        return (
            near(module.decode(0x03E8, 0x1F60, known), 4.016, 0.1, 0.4016)
            and near(module.decode(0xFC18, 0x1F60, known), 4.016, -0.1, -0.4016)
            and held.values[:2] == pytest.approx((32.0, -3.2))
            and held.quality == (CLAMPED,) * 3
            and not module.decode(0x7CFF, 0x1F60, known).quality
            and near(first, 12.0, -1.5, -18.0)
            and near(second, 12.0, -1.5, -18.0)
            and config == 0x1777
            and module.configuration(module.INA219Options(averages=1)) == 0x399F
            and 0.0681 < slept < 0.1
            and not left
            and other_part(module.INA219, module.INA219Options(), 0x4127) == 'driver = "ina226"'
        )
    except (EdgenodeError, ValueError):
        return False


def other_part(driver: Any, options: Any, config: int) -> str:
    """Return what is advised about a part that has this configuration after a reset."""
    try:
        driver(FakeWords({}, after_reset=config), options, sleep=lambda _: None)
    except WrongDevice as exc:
        return str(exc).partition("write ")[2]
    return ""


def ina226_holds(module: ModuleType) -> bool:
    """Whether an INA226 is set up, awaited, decoded and recognised as the datasheet says."""
    known = module.INA226Options(shunt_ohm=0.01)
    try:
        first, second, slept, config, left = played(
            module.INA226, known, VirtualINA226, Ina226Spec("x", shunt_ohm=0.01, **SUPPLY)
        )
        held = module.decode(0x7FFF, 0x7FFF, known)
        return (
            near(module.decode(0x137F, 0x0A4B, known), 3.29375, 1.24775, 4.10977656)
            and near(module.decode(0xEC81, 0x0A4B, known), 3.29375, -1.24775, -4.10977656)
            and (held.values[0], held.quality) == (40.95875, (CLAMPED,) * 3)
            and not module.decode(0x7FFE, 0x0A4B, known).quality
            and near(first, 12.0, -1.5, -18.0)
            and near(second, 12.0, -1.5, -18.0)
            and config == 0x4727
            and 0.1408 < slept < 0.2
            and not left
            and refuses_what_is_negative(module, known)
            and knows_its_revisions(module, known)
        )
    except (EdgenodeError, ValueError):
        return False


def refuses_what_is_negative(module: ModuleType, options: Any) -> bool:
    """Whether a bus voltage with its highest bit set is no voltage."""
    try:
        module.decode(0, 0x8000, options)
    except EdgenodeError:
        return True
    return False


def knows_its_revisions(module: ModuleType, options: Any) -> bool:
    """Whether a later revision of the die is still the part, and another maker's is not."""
    module.INA226(FakeWords({0xFE: 0x5449, 0xFF: 0x2261}), options, sleep=lambda _: None)
    try:
        module.INA226(FakeWords({0xFE: 0x5449, 0xFF: 0x2270}), options, sleep=lambda _: None)
    except WrongDevice:
        return True
    return False


def monitors_hold(module: ModuleType) -> bool:
    """Whether what both share computes current, power, ends and resolutions."""
    scale = module.Scale(10e-6, 4e-3, 32_000, 8000)
    voltage, current, power = scale.channels(0.1, 26)
    ends = scale.decode(-32_000, 8000, 0.1)
    return (
        near(scale.decode(1000, 1004, 0.1), 4.016, 0.1, 0.4016)
        and (voltage.scale, current.scale, power.scale) == (-3, -4, -3)
        and (current.low, current.high, power.high) == (-3.2, 3.2, 83.2)
        and ends.quality == (CLAMPED, CLAMPED, CLAMPED)
        and scale.decode(0, 8000, 0.1).quality == (CLAMPED, OK, CLAMPED)
        and scale.decode(32_000, 0, 0.1).quality == (OK, CLAMPED, CLAMPED)
    )
