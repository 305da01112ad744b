"""Known answers of the TMP117 driver, and changes that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from edgenode.errors import BadFrame, EdgenodeError, ImpossibleValue, WrongDevice
from edgenode.reading import Quality
from tests.support.fake_i2c import FakeI2C

# SNOSD82 table 7-1; 0x0c80 is 25.000 °C to Adafruit's driver too.
CELSIUS: Final = {
    0x0C80: 25.0,
    0x3200: 100.0,
    0x0001: 0.0078125,
    0xFFFF: -0.0078125,
    0xF380: -25.0,
    0x7FFF: 255.9921875,
}
MUTANTS = [
    ("STEP: Final = 0.0078125", "STEP: Final = 0.0078"),
    ("STEP: Final = 0.0078125", "STEP: Final = 0.0625"),
    ("raw = signed(word)", "raw = word"),
    ("-0x8000", "-0x7FFF"),
    ("raw == NOTHING_YET", "raw != NOTHING_YET"),
    ("REG_TEMPERATURE: Final = 0x00", "REG_TEMPERATURE: Final = 0x02"),
    ("REG_CONFIG: Final = 0x01", "REG_CONFIG: Final = 0x02"),
    ("REG_ID: Final = 0x0F", "REG_ID: Final = 0x0E"),
    ("\nID: Final = 0x0117", "\nID: Final = 0x2117"),
    ("SOFT_RESET: Final = 0x0002", "SOFT_RESET: Final = 0x0001"),
    ("DATA_READY: Final = 0x2000", "DATA_READY: Final = 0x1000"),
    ("SET_BY_US: Final = 0x0FFC", "SET_BY_US: Final = 0xFFFC"),
    ("SET_BY_US: Final = 0x0FFC", "SET_BY_US: Final = 0x0000"),
    ("HALF_A_SECOND: Final = 0x0180", "HALF_A_SECOND: Final = 0x0200"),
    ("8: 0x0020", "8: 0x0060"),
    ("32: 0x0040", "32: 0x0060"),
    ("RESETTING_S: Final = 0.002", "RESETTING_S: Final = 0.001"),
    ("LATE_MS: Final = 2_000", "LATE_MS: Final = 5_000"),
    ("SILENT_MS: Final = 5_000", "SILENT_MS: Final = 50_000"),
    ("        self._proved()  #", "        #"),
]


class FakeTMP117(FakeI2C):
    """Registers of two bytes each; a configuration is kept, and says that data is ready."""

    def __init__(self, temperature: int, device_id: int = 0x0117) -> None:
        super().__init__({})
        self.words = {0x00: temperature, 0x01: 0x0220, 0x0F: device_id}
        self.ready = True
        self.after: dict[int, int] = {}  # what becomes of registers once a temperature was read

    def read(self, register: int, length: int) -> bytes:
        self._answer()
        word = self.words.get(register, 0)
        if register == 0x01:
            word |= self.ready << 13 | 0x9000  # and an alert, and an EEPROM that is busy
        if register == 0x00:
            self.words |= self.after
        return word.to_bytes(2, "big")[:length]

    def write(self, register: int, data: bytes) -> None:
        super().write(register, data)
        word = int.from_bytes(data, "big")
        self.words[register] = 0x0220 if word & 2 else word


def opened(module: ModuleType, chip: FakeTMP117, **options: int) -> Any:
    return module.TMP117(chip, module.TMP117Options(**options), sleep=lambda _: None)


def known_answers_hold(module: ModuleType) -> bool:
    """Whether a driver opens, sets up, and reads as the datasheet has it."""
    try:
        for word, celsius in CELSIUS.items():
            if opened(module, FakeTMP117(word)).read(0).values != (celsius,):
                return False
    except EdgenodeError:
        return False
    return sets_up(module) and ages(module) and refuses(module)


def sets_up(module: ModuleType) -> bool:
    """Whether it resets, waits, and asks for averages twice a second."""
    for averages, word in ((1, b"\x01\x80"), (8, b"\x01\xa0"), (32, b"\x01\xc0")):
        chip = FakeTMP117(0x0C80)
        naps: list[float] = []
        module.TMP117(chip, module.TMP117Options(averages=averages), sleep=naps.append)
        if chip.writes != [(0x01, b"\x00\x02"), (0x01, word)] or sum(naps) < 0.002:
            return False
    return bool(module.TMP117.identify(FakeTMP117(0)))


def ages(module: ModuleType) -> bool:
    """Whether a value is settling before the first, its own for 2 s, stale for 3, then lost."""
    chip = FakeTMP117(0x0C80)
    chip.ready = False
    sensor = opened(module, chip)
    qualities = [sensor.read(0).quality]
    chip.ready = True
    sensor.read(1_000)
    chip.ready = False
    qualities += [sensor.read(now_ms).quality for now_ms in (3_000, 3_001, 6_000)]
    try:
        sensor.read(6_001)
    except EdgenodeError:
        return qualities == [(Quality.SETTLING,), (), (Quality.STALE,), (Quality.STALE,)]
    return False


def refuses(module: ModuleType) -> bool:
    """Whether what is no conversion, no TMP117, or reset meanwhile gives no number."""
    reset = FakeTMP117(0x0C80)
    reset.after = {0x01: 0x0220}
    cases = ((FakeTMP117(0x8000), ImpossibleValue), (reset, BadFrame))
    for chip, error in cases:
        try:
            opened(module, chip).read(0)
        except error:
            continue
        except EdgenodeError:
            return False
        return False
    try:
        opened(module, FakeTMP117(0x0C80, device_id=0x0075))
    except WrongDevice:
        return True
    return False
