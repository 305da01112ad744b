"""Known answers of the BME280 driver, and changes that must not give them."""

from __future__ import annotations

from types import ModuleType

from edgenode.errors import EdgenodeError
from tests.drivers.known_bosch import COUNTS
from tests.drivers.test_bme280 import (
    CALIBRATION,
    TRIM_HIGH,
    TRIM_LOW,
    integer_fine,
    integer_humidity,
    integer_pressure,
    results,
)
from tests.support.fake_i2c import FakeBME280

MUTANTS = [
    ("fine - 76800", "fine - 76000"),
    ("h4 * 64", "h4 * 63"),
    ("h5 / 16384 * d", "-h5 / 16384 * d"),
    ("h2 / 65536", "h2 / 65000"),
    ("1 + h6 / 67108864", "1 - h6 / 67108864"),
    ("1 + h3 / 67108864", "1 + h3 / 671088"),
    ("1 - h1 * h", "1 + h1 * h"),
    ("e4 << 4 | e5 & 15", "e4 << 4 | e5 >> 4"),
    ("e6 << 4 | e5 >> 4", "e6 << 4 | e5 & 15"),
    ("results[6:8]", "results[5:7]"),
    ("raw_h == SKIPPED_16_BITS", "raw_h == 28000"),
    ("bytes((HUMIDITY_X1,))", "bytes((0x00,))"),
    ("(0x07, HUMIDITY_X1)", "(0x07, 0x02)"),
    ("REG_CTRL_HUM: Final = 0xF2", "REG_CTRL_HUM: Final = 0xF3"),
    ("low[25]", "low[24]"),
    ("burst: ClassVar[int] = 13", "burst: ClassVar[int] = 12"),
    ("pressure(raw_p, fine", "pressure(raw_t, fine"),
]


def known_answers_hold(module: ModuleType) -> bool:
    """Whether a driver opens, measures and decodes as the datasheet's integer formulas say."""
    for raw_p, raw_t, raw_h in COUNTS:
        chip = FakeBME280(TRIM_LOW, TRIM_HIGH, results(raw_p, raw_t, raw_h))
        try:
            sensor = module.BME280(chip, module.BME280Options(), sleep=lambda _: None)
            celsius, percent, pascal = sensor.read(0).values
        except EdgenodeError:
            return False
        if percent is None:
            return False
        fine = integer_fine(raw_t)
        triggered = chip.writes[-2:] == [(0xF2, b"\x01"), (0xF4, b"\x25")]
        agree = (
            abs(celsius - fine / 5120) < 0.004
            and abs(pascal - integer_pressure(raw_p, fine)) < 1
            and abs(percent - integer_humidity(raw_h, fine)) < 0.015
        )
        if not (triggered and agree):
            return False
    dry = module.decode(results(raw_h=0x8000), CALIBRATION)
    return dry.values[1] is None and dry.values[0] is not None
