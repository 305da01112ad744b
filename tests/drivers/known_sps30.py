"""Known answers of the SPS30 driver, and changes that must not give them."""

from __future__ import annotations

import struct
from types import ModuleType
from typing import Any

import pytest

from edgenode.errors import EdgenodeError, ImpossibleValue, WrongDevice
from edgenode.reading import Quality, Sample
from edgenode.virtual.sensirion import checked
from tests.support.fake_sensirion import FakeSensirion

DUST = (5.2, 9.5, 12.6, 13.3, 34.0, 40.1, 41.2, 41.4, 41.5, 0.55)
COMMANDS = ["1103", "1103", "d002", "0104", "d100", "d210", "0010 0300ac"]

MUTANTS = (
    ("WAKE: Final = 0x1103", "WAKE: Final = 0x1102"),
    ("STOP: Final = 0x0104", "STOP: Final = 0x0105"),
    ("START: Final = 0x0010", "START: Final = 0x0011"),
    ("AS_FLOATS: Final = 0x0300", "AS_FLOATS: Final = 0x0500"),
    ("READY: Final = 0x0202", "READY: Final = 0x0203"),
    ("READ: Final = 0x0300", "READ: Final = 0x0301"),
    ("READ_WORDS: Final = 20", "READ_WORDS: Final = 18"),
    ("PRODUCT_TYPE: Final = 0xD002", "PRODUCT_TYPE: Final = 0xD014"),
    ('PRODUCT: Final = "00080000"', 'PRODUCT: Final = "00080001"'),
    ("VERSION: Final = 0xD100", "VERSION: Final = 0xD101"),
    ("STATUS: Final = 0xD206", "STATUS: Final = 0xD207"),
    ("CLEAR_STATUS: Final = 0xD210", "CLEAR_STATUS: Final = 0xD206"),
    ("STATUS_SINCE: Final = (2, 2)", "STATUS_SINCE: Final = (2, 3)"),
    ("STATUS_SINCE: Final = (2, 2)", "STATUS_SINCE: Final = (2, 1)"),
    ("EXECUTING_S: Final = 0.02", "EXECUTING_S: Final = 0.01"),
    ("FAN: Final = 1 << 4", "FAN: Final = 1 << 3"),
    ("LASER: Final = 1 << 5", "LASER: Final = 1 << 6"),
    ("SPEED: Final = 1 << 21", "SPEED: Final = 1 << 20"),
    ("LATE_MS: Final = 3_000", "LATE_MS: Final = 12_000"),
    ("SILENT_MS: Final = 30_000", "SILENT_MS: Final = 9_000"),
    ("isfinite(number) and number >= 0", "isfinite(number)"),
    ("isfinite(number) and number >= 0", "number >= 0"),
    ("Quality.OK if good else Quality.FAULT", "Quality.FAULT if good else Quality.OK"),
    ("Quality.UNCALIBRATED if how", "Quality.ESTIMATED if how"),
    ("ready & 0xFF", "not ready & 0xFF"),
    ("version >> 8, version & 0xFF", "version & 0xFF, version >> 8"),
    ("high << 16 | low", "low << 16 | high"),
    ("!= PRODUCT:\n            raise", "== PRODUCT:\n            raise"),
    ("SETTLE_S: Final = 30.0", "SETTLE_S: Final = 8.0"),
)


def answers(
    numbers: tuple[float, ...] = DUST, *, ready: int = 1, status: int = 0, version: int = 0x0202
) -> dict[bytes, bytes]:
    """Return what an SPS30 answers."""
    return {
        b"\xd0\x02": checked(b"00080000"),
        b"\xd0\x33": checked(b"0123456789ABCDEF".ljust(32, b"\0")),
        b"\xd1\x00": checked(version.to_bytes(2, "big")),
        b"\x02\x02": checked(ready.to_bytes(2, "big")),
        b"\x03\x00": checked(struct.pack(f">{len(numbers)}f", *numbers)),
        b"\xd2\x06": checked(status.to_bytes(4, "big")),
    }


def reading(module: ModuleType, **said: Any) -> tuple[Sample, FakeSensirion, list[float]]:
    """Return what one read gives, the chip, and how long was slept."""
    chip, naps = FakeSensirion(answers(**said)), list[float]()
    sensor = module.SPS30(chip, module.SPS30Options(), sleep=naps.append)
    return sensor.read(0), chip, naps


def known_answers_hold(module: ModuleType) -> bool:
    """Whether a driver opens, measures, decodes and judges as the datasheet says."""
    try:
        sample, chip, naps = reading(module)
        fast, _, _ = reading(module, status=1 << 21)
        odd, _, _ = reading(module, numbers=(float("nan"), -1.0, float("inf"), *DUST[3:]))
        old = [reading(module, version=v, status=1 << 4)[1] for v in (0x0201, 0x0109)]
        aged = ages(module)
    except (EdgenodeError, ValueError):
        return False
    return (
        sample.values == pytest.approx(DUST, abs=1e-5)
        and not sample.quality
        and [c.hex() for c in chip.commands[:7]] == [c.replace(" ", "") for c in COMMANDS]
        and sorted(naps)[-3:] == [0.02, 0.02, 0.02]
        and fast.quality == (Quality.UNCALIBRATED,) * 10
        and odd.values[:3] == (None, None, None)
        and odd.quality == (Quality.FAULT,) * 3 + (Quality.OK,) * 7
        and not any({b"\xd2\x06", b"\xd2\x10"} & set(chip.commands) for chip in old)
        and all(fails(module, 1 << bit) for bit in (4, 5))
        and aged
        and refuses(module)
        and module.SPS30.settle_s == 30
    )


def fails(module: ModuleType, status: int) -> bool:
    """Whether a broken fan or laser is a fault."""
    try:
        reading(module, status=status)
    except ImpossibleValue:
        return True
    return False


def ages(module: ModuleType) -> bool:
    """Whether a measurement is stale while the fan is cleaned, and none is settling."""
    chip = FakeSensirion(answers(ready=0))
    sensor = module.SPS30(chip, module.SPS30Options(), sleep=lambda _: None)
    none = sensor.read(0)
    chip.answers = answers()
    sensor.read(1_000)
    chip.answers = answers(ready=0)
    young, late = sensor.read(3_900), sensor.read(11_000)
    stale = (Quality.STALE,) * 10
    return (none.values[0], none.quality[:1]) == (None, (Quality.SETTLING,)) and (
        young.quality,
        late.quality,
    ) == ((), stale)


def refuses(module: ModuleType) -> bool:
    """Whether another product type is another device."""
    chip = FakeSensirion({**answers(), b"\xd0\x02": checked(b"00090000")})
    try:
        module.SPS30(chip, module.SPS30Options(), sleep=lambda _: None)
    except WrongDevice:
        return True
    return False
