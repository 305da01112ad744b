"""Known answers of the BMP280 driver, and changes that must not give them."""

from __future__ import annotations

from types import ModuleType

from edgenode.errors import EdgenodeError
from edgenode.reading import Quality
from tests.drivers.known_bosch import COUNTS
from tests.drivers.test_bme280 import TRIM_LOW, integer_fine, integer_pressure, results
from tests.support.fake_i2c import FakeI2C

MUTANTS = [
    ("t, p = cal", "p, t = cal"),
    ("raw_p, raw_t = twenty_bits", "raw_t, raw_p = twenty_bits"),
    ("fine / 5120, pressure", "fine / 5100, pressure"),
    ("fine / 5120, None", "fine / 5100, None"),
    ("(Quality.OK, Quality.FAULT)", "(Quality.FAULT, Quality.OK)"),
    ("raw_p is None", "raw_p is not None"),
    ("first: ClassVar[int] = REG_STATUS", "first: ClassVar[int] = 0xF2"),
    ("pressure(raw_p, fine", "pressure(raw_t, fine"),
    ("burst: ClassVar[int] = 10", "burst: ClassVar[int] = 9"),
    ("(TEMPERATURE, PRESSURE)", "(PRESSURE, TEMPERATURE)"),
]


class FakeBMP280(FakeI2C):
    """The registers of one chip: forced measurements finish at once and go back to sleep."""

    def __init__(self, results: bytes, trim: bytes = TRIM_LOW[:24], chip_id: int = 0x58) -> None:
        super().__init__({0xD0: bytes((chip_id,)), 0x88: trim, 0xF7: results})

    def write(self, register: int, data: bytes) -> None:
        super().write(register, data)
        if register == 0xF4:
            self.memory[0xF4] = data[0] & 0xFC


def known_answers_hold(module: ModuleType) -> bool:
    """Whether a driver opens, measures and decodes as the datasheet's integer formulas say."""
    try:
        for raw_p, raw_t, _ in COUNTS:
            chip = FakeBMP280(results(raw_p, raw_t)[:6])
            sensor = module.BMP280(chip, module.BMP280Options(), sleep=lambda _: None)
            sample = sensor.read(0)
            given = {c.name: v for c, v in zip(sensor.channels, sample.values, strict=True)}
            fine = integer_fine(raw_t)
            if abs(given["temperature"] - fine / 5120) > 0.004 or sample.quality:
                return False
            if abs(given["pressure"] - integer_pressure(raw_p, fine)) > 1:
                return False
        chip.memory[0xF7:0xFD] = results(0x80000, 519888)[:6]
        half = sensor.read(0)
    except (EdgenodeError, ValueError, IndexError, TypeError):
        return False
    skipped = half.values[1] is None and abs(half.values[0] - 25.0825) < 0.001
    return skipped and half.quality == (Quality.OK, Quality.FAULT)
