"""Known answers of the SCD30 driver, and changes that must not give them."""

from __future__ import annotations

import struct
from types import ModuleType
from typing import Any

import pytest

from edgenode.errors import EdgenodeError, WrongDevice
from edgenode.reading import Quality, Sample
from edgenode.virtual.sensirion import checked
from tests.support.fake_sensirion import FakeSensirion

AIR = bytes.fromhex("43dbcb 8c2e8f 41d970 e7fff5 4243bf 3a1b74")  # of the interface description
NAN = float("nan")
ANSWERS = {
    b"\xd1\x00": checked(b"\x03\x42"),
    b"\x46\x00": checked(b"\x00\x02"),
    b"\x51\x02": checked(b"\x00\x00"),
    b"\x54\x03": checked(b"\x00\x00"),
    b"\x53\x06": checked(b"\x00\x01"),
    b"\x02\x02": checked(b"\x00\x01"),
    b"\x03\x00": AIR,
}
OPENING = ["d100", "4600", "0010000081"]

MUTANTS = (
    ("START: Final = 0x0010", "START: Final = 0x0104"),
    ("READY: Final = 0x0202", "READY: Final = 0x0201"),
    ("READ: Final = 0x0300", "READ: Final = 0x0301"),
    ("READ_WORDS: Final = 6", "READ_WORDS: Final = 4"),
    ("INTERVAL: Final = 0x4600", "INTERVAL: Final = 0x4601"),
    ("ALTITUDE: Final = 0x5102", "ALTITUDE: Final = 0x5403"),
    ("TEMPERATURE_OFFSET: Final = 0x5403", "TEMPERATURE_OFFSET: Final = 0x5306"),
    ("SELF_CALIBRATION: Final = 0x5306", "SELF_CALIBRATION: Final = 0x5102"),
    ("VERSION: Final = 0xD100", "VERSION: Final = 0xD200"),
    ("range(2, 1801)", "range(3, 1801)"),
    ("range(2, 1801)", "range(2, 70_000)"),
    ("ANSWERING_S: Final = 0.004", "ANSWERING_S: Final = 0.002"),
    ("offset(100)", "offset(10)"),
    ("co2 <= 0", "co2 < 0"),
    ("co2 <= 0", "co2 <= 500"),
    ("else Quality.FAULT for", "else Quality.MISSING for"),
    ("quality[0] = Quality.MISSING", "quality[1] = Quality.MISSING"),
    ("told = (co2, celsius, percent)", "told = (celsius, co2, percent)"),
    ("if how is Quality.OK", "if how is Quality.MISSING"),
    ("if self._asked(READY)", "if not self._asked(READY)"),
    ("self._asked(command) != word", "self._asked(command) == word"),
    ("options.pressure_hpa or 0", "options.altitude_m or 0"),
    ("2_000 * interval_s", "4_800 * interval_s"),
    ("5_000 * interval_s", "2_500 * interval_s"),
)


def reading(
    module: ModuleType, air: bytes = AIR, ready: int = 1, interval: int = 2, **options: Any
) -> tuple[Sample, FakeSensirion, list[float]]:
    """Return what one read gives, the chip, and how long was slept."""
    said = {
        **ANSWERS,
        b"\x03\x00": air,
        b"\x02\x02": checked(ready.to_bytes(2, "big")),
        b"\x46\x00": checked(interval.to_bytes(2, "big")),
    }
    chip, naps = FakeSensirion(said), list[float]()
    sensor = module.SCD30(chip, module.SCD30Options(**options), sleep=naps.append)
    return sensor.read(0), chip, naps


def floats(*values: float) -> bytes:
    """Return numbers as the part sends them."""
    return checked(struct.pack(f">{len(values)}f", *values))


def known_answers_hold(module: ModuleType) -> bool:
    """Whether a driver opens, measures, decodes and judges as the interface description says."""
    try:
        sample, chip, naps = reading(module)
        broken, _, _ = reading(module, floats(NAN, 20.0, NAN))
        zero, _, _ = reading(module, floats(0.0, 20.0, 40.0))
        hidden, _, _ = reading(module, ready=0)
        fine = ages(module)
        told = sent(module)
    except (EdgenodeError, TypeError):
        return False
    return (
        sample.values == pytest.approx((439.09, 27.2383, 48.8067), abs=0.01)
        and not sample.quality
        and [command.hex() for command in chip.commands[:3]] == OPENING
        and min(naps) > 0.003
        and broken == Sample((None, 20.0, None), (Quality.FAULT, Quality.OK, Quality.FAULT))
        and zero == Sample((None, 20.0, 40.0), (Quality.MISSING, Quality.OK, Quality.OK))
        and hidden == Sample((None,) * 3, (Quality.SETTLING,) * 3)
        and told == {"51020064", "540300fa", "53060000", "46000005", "0010038e", "00100000"}
        and fine
        and refuses(module)
    )


def ages(module: ModuleType) -> bool:
    """Whether a measurement is stale after two intervals, and not lost before the fifth."""
    chip = FakeSensirion({**ANSWERS, b"\x46\x00": checked(b"\x00\x0a")})
    sensor = module.SCD30(chip, module.SCD30Options(), sleep=lambda _: None)
    sensor.read(0)
    chip.answers[b"\x02\x02"] = checked(b"\x00\x00")
    young, late = sensor.read(19_000), sensor.read(45_000)
    return not young.quality and late.quality == (Quality.STALE,) * 3


def sent(module: ModuleType) -> set[str]:
    """Return what is set, without checksums; what the part already has is not among it."""
    differs: dict[str, Any] = {"temperature_offset_c": 2.5, "self_calibration": False}
    alike: dict[str, Any] = {"temperature_offset_c": 0.0, "self_calibration": True}
    chips = [
        reading(module, **differs, altitude_m=100, interval_s=5)[1],
        reading(module, **alike, pressure_hpa=910, interval_s=2)[1],
    ]
    return {c[:4].hex() for chip in chips for c in chip.commands if len(c) > 2}


def refuses(module: ModuleType) -> bool:
    """Whether what has no firmware, or an interval that cannot be, is no SCD30."""
    refused = 0
    for said in ({b"\xd1\x00": bytes(3)}, {b"\x46\x00": checked(b"\x07\x09")}):
        try:
            module.SCD30(FakeSensirion({**ANSWERS, **said}), module.SCD30Options(), lambda _: None)
        except WrongDevice:
            refused += 1
    return refused == 2
