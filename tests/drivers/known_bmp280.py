"""Known answers of the BMP280 driver, and changes that must not give them."""

from __future__ import annotations

from types import ModuleType

from edgenode.errors import BadFrame, EdgenodeError
from edgenode.reading import Quality
from tests.drivers.known_bosch import COUNTS
from tests.drivers.test_bme280 import TRIM_LOW, integer_fine, integer_pressure, results
from tests.support.fake_i2c import FakeI2C

MUTANTS = [
    ("slice(4, 10)", "slice(3, 9)"),
    ("slice(4, 10)", "slice(5, 10)"),
    ("t, p = cal", "p, t = cal"),
    ("raw_p, raw_t = twenty_bits", "raw_t, raw_p = twenty_bits"),
    ("fine / 5120, pressure", "fine / 5100, pressure"),
    ("fine / 5120, None", "fine / 5100, None"),
    ("(Quality.OK, Quality.FAULT)", "(Quality.FAULT, Quality.OK)"),
    ("raw_t == SKIPPED_20_BITS", "raw_t == 0"),
    ("raw_p == SKIPPED_20_BITS", "raw_p == 0"),
    ("pressure(raw_p, fine", "pressure(raw_t, fine"),
    ("control != ALL_X1_SLEEP or config", "control != ALL_X1_SLEEP and config"),
    ("control != ALL_X1_SLEEP", "control == ALL_X1_SLEEP"),
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
    except (EdgenodeError, ValueError, IndexError):
        return False
    skipped = half.values[1] is None and abs(half.values[0] - 25.0825) < 0.001
    return skipped and half.quality == (Quality.OK, Quality.FAULT) and refuses(module)


def refuses(module: ModuleType) -> bool:
    """Whether a chip that is set otherwise, and one that measured nothing, are refused."""
    for memory in ({0xF4: b"\x00"}, {0xF5: b"\x10"}, {0xF7: results(0x80000, 0x80000)[:6]}):
        chip = FakeBMP280(results()[:6])
        sensor = module.BMP280(chip, module.BMP280Options(), sleep=lambda _: None)
        changed = FakeI2C({0xF4: b"\x24", 0xF7: results()[:6], **memory})
        chip.read = changed.read  # type: ignore[method-assign]
        try:
            sensor.read(0)
        except EdgenodeError as exc:
            if isinstance(exc, BadFrame) != (0xF7 not in memory):
                return False
            continue
        return False
    return True
