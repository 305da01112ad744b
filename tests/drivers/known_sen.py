"""Known answers of SEN5x and SEN66, and the mutants that they turn red.

Words and what they mean are those of the datasheets' scales; Sensirion's own drivers make the same
of these bytes (tests/drivers/test_sen.py).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from drivers import sen
from edgenode.bus.sensirion import packed
from edgenode.errors import DriverError, WrongDevice
from edgenode.reading import Quality
from tests.support.fake_sensirion import FakeSensirion

NAME, SERIAL, TYPE = b"\xd0\x14", b"\xd0\x33", b"\xd0\x02"
START, READY = b"\x00\x21", b"\x02\x02"
STATUS, STATUS_AND_CLEAR = b"\xd2\x06", b"\xd2\x10"
READ_SEN5X, READ_SEN66 = b"\x03\xc4", b"\x03\x00"
PRESSURE = b"\x67\x20"
# PM1 5.2, PM2.5 9.5, PM4 12.6, PM10 13.3 µg/m³, 37.00 %RH, -3.50 °C, VOC 100.0, NOx 1.5
WORDS = (52, 95, 126, 133, 3700, 0x10000 - 700, 1000, 15)
VALUES = (5.2, 9.5, 12.6, 13.3, 37.0, -3.5, 100.0, 1.5)
UNKNOWN = (0xFFFF,) * 4 + (0x7FFF,) * 4
MINUTE_MS = 60_000


def said(text: str) -> bytes:
    """Return a text of 32 bytes as a part says it."""
    data = text.encode("ascii").ljust(32, b"\0")
    return packed(*(int.from_bytes(data[at : at + 2], "big") for at in range(0, 32, 2)))


def flags(value: int) -> bytes:
    """Return a status as a part says it."""
    return packed(value >> 16, value & 0xFFFF)


def part(product: str, *words: int, status: int = 0) -> FakeSensirion:
    """Return a part that measures these words for ever."""
    read = READ_SEN66 if len(words) == 9 else READ_SEN5X
    answers = {
        NAME: said(product),
        SERIAL: said("0A1B"),
        TYPE: said("00085300"),
        READY: packed(1),
        STATUS: flags(status),
        STATUS_AND_CLEAR: flags(status),
        read: packed(*words),
    }
    return FakeSensirion(answers)


def opened(module: ModuleType, chip: FakeSensirion, **options: Any) -> Any:
    """Return an open driver of `module`."""
    driver, made = (
        (module.SEN5x, module.SEN5xOptions)
        if hasattr(module, "SEN5x")
        else (module.SEN66, module.SEN66Options)
    )
    return driver(chip, made(**options), sleep=lambda _: None)


def read_twice(module: ModuleType, chip: FakeSensirion, **options: Any) -> Any:
    """Return what a part says a minute after it was read first."""
    sensor = opened(module, chip, **options)
    sensor.read(0)
    return sensor.read(MINUTE_MS)


def of_sen5x(module: ModuleType) -> bool:
    """Whether a SEN5x opens, says which it is, and is read as its datasheet says."""
    try:
        full = read_twice(module, part("SEN55", *WORDS))
        some = read_twice(module, part("SEN54", *WORDS[:7], 0x7FFF))
        least = read_twice(module, part("SEN50", *WORDS[:4], *UNKNOWN[4:]))
        told = opened(module, part("SEN54", *WORDS), model="SEN54")
        chip = part("SEN55", *WORDS)
        opened(module, chip)
    except (DriverError, KeyError, ValueError):
        return False
    missing = (Quality.OK,) * 4 + (Quality.MISSING,) * 4
    return bool(
        full.values == pytest.approx(VALUES)
        and full.quality == ()
        and some.values[6:] == (100.0, None)
        and some.quality == (*(Quality.OK,) * 7, Quality.MISSING)
        and least.quality == missing
        and [channel.name for channel in told.measures()][-1] == "voc_index"
        and chip.commands[:3] == [NAME, SERIAL, START]
        and module.SEN5xOptions().address == 0x69
        and module.SEN5x.addresses == (0x69,)
        and refuses(module, part("SEN66", *WORDS))
        and refuses(module, part("SEN54", *WORDS), model="SEN55")
    )


def of_sen66(module: ModuleType) -> bool:
    """Whether a SEN66 opens, is told the pressure, and is read as its datasheet says."""
    try:
        chip = part("SEN66", *WORDS, 421)
        full = read_twice(module, chip, pressure_hpa=950)
        nameless = read_twice(module, part("", *WORDS, 421))
        spoiled = read_twice(module, part("SEN66", *WORDS, 421, status=1 << 9))
        stuck = read_twice(module, part("SEN66", *WORDS, 421, status=1 << 4))
        unknown = read_twice(module, part("SEN66", *WORDS, 0xFFFF))
    except (DriverError, KeyError, ValueError):
        return False
    wrong = part("", *WORDS, 421)
    wrong.answers[TYPE] = said("00085200")
    fault = (*(Quality.OK,) * 8, Quality.FAULT)
    return bool(
        full.values == nameless.values == pytest.approx((*VALUES, 421))
        and full.quality == ()
        and PRESSURE + packed(950) in chip.commands
        and (spoiled.values[8], spoiled.quality) == (None, fault)
        and (unknown.values[8], unknown.quality) == (None, fault)
        and set(stuck.quality) == {Quality.FAULT}
        and module.SEN66Options().pressure_hpa == 1013
        and module.SEN66Options().address == 0x6B
        and module.SEN66.addresses == (0x6B,)
        and refuses(module, part("SEN65", *WORDS, 421))
        and refuses(module, wrong)
    )


def refuses(module: ModuleType, chip: FakeSensirion, **options: Any) -> bool:
    """Whether this is the wrong device."""
    try:
        opened(module, chip, **options)
    except WrongDevice:
        return True
    except DriverError:
        return False
    return False


def of_both(module: ModuleType) -> bool:
    """Whether words and bits mean what the datasheets say."""
    signals = module.SIGNALS
    if [s.channel.name for s in signals] != [s.channel.name for s in sen.SIGNALS]:
        return False
    numbers = tuple(module.number(w, s) for w, s in zip(WORDS, signals, strict=True))
    if numbers != pytest.approx(VALUES):
        return False
    lowest = [module.number(0x8000, signal) for signal in signals]
    if lowest != [3276.8] * 4 + [-327.68, -163.84, -3276.8, -3276.8]:
        return False
    for unknown, told in ((UNKNOWN, True), ((0x7FFF,) * 4 + (0xFFFF,) * 4, False)):
        found = [module.number(w, s) for w, s in zip(unknown, signals, strict=True)]
        if told != (found == [None] * 8) or (not told and None in found):
            return False
    return spoils(module) and lasts(module)


# What each bit of the status makes of the eight signals.
F, S, U, O = Quality.FAULT, Quality.STALE, Quality.UNCALIBRATED, Quality.OK  # noqa: E741
SPOILS = {
    4: (F,) * 8,
    5: (F,) * 4 + (O,) * 4,
    6: (O,) * 4 + (F,) * 2 + (O,) * 2,
    7: (O,) * 6 + (F,) * 2,
    9: (O,) * 8,
    11: (F,) * 4 + (O,) * 4,
    19: (S,) * 8,
    21: (U,) * 4 + (O,) * 4,
}


def spoils(module: ModuleType) -> bool:
    """Whether each bit of the status is about the signals that it is about."""
    for bit in range(32):
        pairs = [
            module.judged(w, s, 1 << bit, young=False)
            for w, s in zip(WORDS, module.SIGNALS, strict=True)
        ]
        if tuple(quality for _, quality in pairs) != SPOILS.get(bit, (O,) * 8):
            return False
        if any((value is None) != (quality is F) for value, quality in pairs):
            return False
    young, old = (
        module.judged(0xFFFF, module.SIGNALS[0], 0, young=young) for young in (True, False)
    )
    return bool(young == (None, Quality.SETTLING) and old == (None, F))


def lasts(module: ModuleType) -> bool:
    """Whether an error is told for a minute after it was seen, and a warning is not."""
    lasting = module.Lasting()
    if lasting.noted(1 << 4 | 1 << 21, 1_000) != 1 << 4 | 1 << 21:
        return False
    return bool(
        lasting.noted(1 << 6, 60_999) == 1 << 4 | 1 << 6
        and lasting.noted(0, 61_000) == 1 << 6
        and lasting.noted(0, 120_999) == 0
    )


MUTANTS_OF_BOTH = (
    ("0x7FFF", "0x7FFE"),
    ("0xFFFF, 0x7FFF", "0xFFFE, 0x7FFF"),
    ("word - 0x10000", "word"),
    ("word >= 0x8000", "word > 0x8000"),
    ("/ signal.divisor", "/ 10"),
    ("(4, 5, 6, 7, 9, 11)", "(5, 4, 6, 7, 9, 11)"),
    ("(4, 5, 6, 7, 9, 11)", "(4, 5, 7, 6, 9, 11)"),
    ("(4, 5, 6, 7, 9, 11)", "(4, 5, 6, 7, 9, 10)"),
    ("1 << 19", "1 << 18"),
    ("1 << 21", "1 << 20"),
    ("FAN | LASER | PARTICLES, flow=True", "FAN | LASER | PARTICLES"),
    ("FAN | LASER | PARTICLES, flow", "FAN | PARTICLES, flow"),
    ("        200,\n", "        100,\n"),
    ("Quality.SETTLING if young else Quality.FAULT", "Quality.FAULT if young else Quality.FAULT"),
    ("return value, Quality.STALE", "return value, Quality.OK"),
    ("return None, Quality.FAULT\n    value", "return 0.0, Quality.FAULT\n    value"),
    ("HOLD_MS: Final = 60_000", "HOLD_MS: Final = 59_000"),
    ("HOLD_MS: Final = 60_000", "HOLD_MS: Final = 61_000"),
    ("for error in LASTING", "for error in (*LASTING, FAN_SPEED)"),
    ("if flags & error:", "if True:"),
)
MUTANTS_OF_SEN5X = (
    ("0x03C4", "0x0300"),
    ('"SEN50": 4', '"SEN50": 5'),
    ('"SEN54": 7', '"SEN54": 6'),
    ('"SEN54": 7', '"SEN54": 8'),
    ('"SEN55": 8', '"SEN55": 7'),
    ('"SEN55": 8}', '"SEN55": 8, "SEN66": 8}'),
    ("= (0x69,)", "= (0x6B,)"),
    ("] = 0x69", "] = 0x6B"),
    ('model not in {"", found[0]}', "False"),
    ("HAS[self.product], sleep", "8, sleep"),
    ("cls.channels[: HAS[options.model]]", "cls.channels"),
)
MUTANTS_OF_SEN66 = (
    ("0x0300", "0x03C4"),
    ("0xD002", "0xD014"),
    ('"00085300"', '"00085200"'),
    ("0x6720", "0x6736"),
    ("SEA_LEVEL_HPA: Final = 1013", "SEA_LEVEL_HPA: Final = 1000"),
    ('PRODUCT: Final = "SEN66"', 'PRODUCT: Final = "SEN65"'),
    ("1, FAN | CO2", "10, FAN | CO2"),
    ("FAN | CO2", "FAN"),
    ("FAN | CO2", "CO2"),
    ("= (0x6B,)", "= (0x69,)"),
    ("] = 0x6B", "] = 0x69"),
    ("options.pressure_hpa, wait_s", "1013, wait_s"),
    ("or found[0] != PRODUCT", ""),
)
