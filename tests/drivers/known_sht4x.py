"""Known answers of the SHT4x driver and its checksum, and changes that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from edgenode.errors import BadFrame, EdgenodeError, WrongDevice
from edgenode.reading import Quality
from tests.drivers.test_sht4x import ANSWERS
from tests.support.fake_sensirion import FakeSensirion

MUTANTS = [
    ("-45 + 175", "45 + 175"),
    ("-45 + 175", "-46 + 175"),
    ("175 * raw_t", "176 * raw_t"),
    ("raw_t / 65535", "raw_t / 65335"),
    ("-6 + 125", "6 + 125"),
    ("-6 + 125", "-5 + 125"),
    ("125 * raw_rh", "100 * raw_rh"),
    ("raw_rh / 65535", "raw_rh / 65335"),
    ("max(relative, 0.0)", "max(relative, -6.0)"),
    (", 100.0)", ", 119.0)"),
    ("(Quality.OK, Quality.CLAMPED)", "(Quality.CLAMPED, Quality.OK)"),
    ("(0xFD, 0.009)", "(0xF6, 0.009)"),
    ("(0xFD, 0.009)", "(0xFD, 0.007)"),
    ("(0xF6, 0.005)", "(0xE0, 0.005)"),
    ("(0xF6, 0.005)", "(0xF6, 0.004)"),
    ("(0xE0, 0.002)", "(0xFD, 0.002)"),
    ("(0xE0, 0.002)", "(0xE0, 0.001)"),
    ("READ_SERIAL: Final = 0x89", "READ_SERIAL: Final = 0x88"),
    ("SOFT_RESET: Final = 0x94", "SOFT_RESET: Final = 0x93"),
    ("width: ClassVar[int] = 1", "width: ClassVar[int] = 2"),
    ("] = 0x44", "] = 0x45"),
]
OF_THE_CHECKSUM = [
    ("POLYNOMIAL: Final = 0x31", "POLYNOMIAL: Final = 0x07"),
    ("INITIAL: Final = 0xFF", "INITIAL: Final = 0x00"),
    ("range(8)", "range(7)"),
    ("crc & 0x80", "crc & 0x40"),
    ("& 0xFF", "& 0x7F"),
    ("WORD_BYTES: Final = 3", "WORD_BYTES: Final = 2"),
    ("data[at : at + 2]", "data[at + 1 : at + 2]"),
    ('"big"', '"little"'),
    ("crc8(word) != checksum", "crc8(word) > checksum"),
    ("crc8(word) != checksum", "crc8(word) < checksum"),
]
LONGEST_S = {"high": (0xFD, 0.0083), "medium": (0xF6, 0.0045), "low": (0xE0, 0.0016)}


def reading(
    module: ModuleType, answer: str, **options: str
) -> tuple[Any, list[bytes], list[float]]:
    """Return what one read gives, what was commanded, and how long was slept."""
    chip = FakeSensirion({**ANSWERS, b"\xfd": bytes.fromhex(answer)})
    naps: list[float] = []
    sensor = module.SHT4x(chip, module.SHT4xOptions(**options), sleep=naps.append)
    chip.busy = 1
    return sensor.read(0), chip.commands, naps


def known_answers_hold(module: ModuleType) -> bool:
    """Whether a driver opens, measures and decodes as the datasheet says."""
    try:
        for precision, (command, longest_s) in LONGEST_S.items():
            sample, commands, naps = reading(module, "666693 8000a2", precision=precision)
            if commands != [b"\x94", b"\x89", bytes((command,))] or sample.quality:
                return False
            if sample.values != pytest.approx((25.0, 56.501), abs=0.001):
                return False
            if naps[0] < 0.001 or naps[2] < longest_s:
                return False
        wet, dry = (reading(module, answer)[0] for answer in ("666693 ffffac", "666693 000081"))
    except (EdgenodeError, ValueError):
        return False
    clamped = (Quality.OK, Quality.CLAMPED)
    held = (wet.values[1], dry.values[1], wet.quality, dry.quality) == (100, 0, clamped, clamped)
    return held and module.SHT4xOptions().address == 0x44 and refuses(module)


def refuses(module: ModuleType) -> bool:
    """Whether what is no serial number is no SHT4x."""
    chip = FakeSensirion({**ANSWERS, b"\x89": bytes.fromhex("0fa1d5 2b3cfe")})
    try:
        module.SHT4x(chip, module.SHT4xOptions(), sleep=lambda _: None)
    except WrongDevice:
        return True
    return False


def checksums_hold(module: ModuleType) -> bool:
    """Whether words are taken where their checksums are right, and only there."""
    try:
        if module.words(bytes.fromhex("01f433 6667a2 5eb93c"), "x") != [500, 26215, 24249]:
            return False
    except BadFrame:
        return False
    for wrong in ("01f432", "01f434", "beef91", "beef93"):
        try:
            module.words(bytes.fromhex(wrong), "x")
        except BadFrame:
            continue
        return False
    return True
