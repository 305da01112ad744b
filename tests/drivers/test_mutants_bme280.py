"""One wrong constant or sign in the BME280 driver must turn its known answers red."""

from __future__ import annotations

from types import ModuleType

import pytest

from drivers import bme280
from edgenode.errors import EdgenodeError
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
from tests.support.mutants import mutated

MUTANTS = [
    ("raw_t / 16384", "raw_t / 16383"),
    ("- t1 / 1024", "+ t1 / 1024"),
    ("(x / 8) ** 2", "(x / 8) ** 3"),
    ("* t3", "* -t3"),
    ("fine / 2 - 64000", "fine / 2 + 64000"),
    ("* p6 / 32768", "* p6 / 16384"),
    ("a * p5 * 2", "a * p5"),
    ("p4 * 65536", "p4 * 65000"),
    ("p3 * a * a / 524288", "p3 * a * a / 262144"),
    ("+ p2 * a", "- p2 * a"),
    ("- b / 4096", "+ b / 4096"),
    ("* 6250", "* 6251"),
    ("p9 * p * p", "p9 * p"),
    ("p * p8 / 32768", "p * p8 / 65536"),
    ("+ p7)", "- p7)"),
    ("fine - 76800", "fine - 76000"),
    ("h4 * 64", "h4 * 63"),
    ("h5 / 16384 * d", "-h5 / 16384 * d"),
    ("h2 / 65536", "h2 / 65000"),
    ("1 + h6 / 67108864", "1 - h6 / 67108864"),
    ("1 + h3 / 67108864", "1 + h3 / 671088"),
    ("1 - h1 * h", "1 + h1 * h"),
    ("fine / 5120", "fine / 5121"),
    ("e4 << 4 | e5 & 15", "e4 << 4 | e5 >> 4"),
    ("e6 << 4 | e5 >> 4", "e6 << 4 | e5 & 15"),
    ('"big") >> 4', '"big") >> 3'),
    ("SKIPPED_20_BITS: Final = 0x80000", "SKIPPED_20_BITS: Final = 0x40000"),
    ("ALL_X1_FORCED: Final = 0x25", "ALL_X1_FORCED: Final = 0x24"),
    ("HUMIDITY_X1: Final = 0x01", "HUMIDITY_X1: Final = 0x00"),
    ("CHIP_ID: Final = 0x60", "CHIP_ID: Final = 0x58"),
]
COUNTS = [(415148, 519888, 28000), (300000, 420000, 21000), (500000, 600000, 40000)]


def known_answers_hold(module: ModuleType) -> bool:
    """Whether a driver opens, measures and decodes as the datasheet's integer formulas say."""
    for raw_p, raw_t, raw_h in COUNTS:
        chip = FakeBME280(TRIM_LOW, TRIM_HIGH, results(raw_p, raw_t, raw_h))
        try:
            sensor = module.BME280(chip, module.BME280Options(), sleep=lambda _: None)
            celsius, percent, pascal = sensor.read(0).values
        except EdgenodeError:
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
    try:
        module.decode(results(0x80000, 0x80000, 0x8000), CALIBRATION)
    except EdgenodeError:
        return True
    return False


def test_the_driver_itself_gives_the_known_answers() -> None:
    assert known_answers_hold(bme280)


@pytest.mark.parametrize(("old", "new"), MUTANTS, ids=[new for _, new in MUTANTS])
def test_a_wrong_constant_or_sign_turns_the_known_answers_red(old: str, new: str) -> None:
    module = mutated(bme280, old, new)
    assert not known_answers_hold(module)
