"""Known answers of the DS3231 driver, and changes that must not give them."""

from __future__ import annotations

from datetime import UTC, datetime
from types import ModuleType
from typing import Any, Final

from edgenode.errors import EdgenodeError
from edgenode.reading import Quality

# Adafruit's driver gives 2026-11-23 12:59:30 and 25.25 °C.
KNOWN: Final = "305912032311 26 00000000000000 1c 08 00 1940"
NOON: Final = datetime(2026, 11, 23, 12, 59, 30, tzinfo=UTC).timestamp()
AT: Final = {  # 19-5170, clock and calendar p. 11
    "595923 073112 99": datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp(),
    "000000 060101 00": datetime(2000, 1, 1, tzinfo=UTC).timestamp(),
    "000000 062902 28": datetime(2028, 2, 29, tzinfo=UTC).timestamp(),
    "000072 032311 26": datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp(),
    "000052 032311 26": datetime(2026, 11, 23, tzinfo=UTC).timestamp(),
    "000067 032311 26": datetime(2026, 11, 23, 19, tzinfo=UTC).timestamp(),
    "000000 060181 00": datetime(2100, 1, 1, tzinfo=UTC).timestamp(),
}
NEVER: Final = (  # registers, each with one thing that cannot be
    "60 59 12 03 23 11 26",
    "3a 59 12 03 23 11 26",
    "30 60 12 03 23 11 26",
    "30 59 24 03 23 11 26",
    "30 59 40 03 23 11 26",
    "30 59 53 03 23 11 26",
    "30 59 12 00 23 11 26",
    "30 59 12 0b 23 11 26",
    "30 59 12 03 32 11 26",
    "30 59 12 03 63 11 26",
    "30 59 12 03 31 11 26",
    "30 59 12 03 23 13 26",
    "30 59 12 03 23 31 26",
    "30 59 12 03 29 02 27",
    "30 59 12 03 23 11 a6",
)
WARM: Final = {
    "1940": 25.25,
    "0000": 0.0,
    "ffc0": -0.25,
    "d800": -40.0,
    "5500": 85.0,
    "f580": -10.5,
}
MUTANTS = [
    ("REGISTERS: Final = 0x13", "REGISTERS: Final = 0x12"),
    ("STATUS: Final = 0x0F", "STATUS: Final = 0x0E"),
    ("TEMPERATURE: Final = 0x11", "TEMPERATURE: Final = 0x10"),
    ("TIME_LOST: Final = 0x80", "TIME_LOST: Final = 0x08"),
    ("HOUR_OF_12: Final = 0x40", "HOUR_OF_12: Final = 0x80"),
    ("AFTERNOON: Final = 0x20", "AFTERNOON: Final = 0x10"),
    ("CENTURY: Final = 0x80", "CENTURY: Final = 0x40"),
    ("0x03: 0xF8", "0x03: 0x00"),
    ("STATUS: 0x70", "STATUS: 0x00"),
    ("TEMPERATURE + 1: 0x3F", "TEMPERATURE + 1: 0x00"),
    ("COLDEST, WARMEST = -40.0", "COLDEST, WARMEST = -39.0"),
    ("-40.0, 85.0", "-40.0, 84.0"),
    ("tens > 9 or ones > 9", "tens > 9 and ones > 9"),
    ("tens * 10", "tens * 16"),
    ("1 <= of_12", "0 <= of_12"),
    ("of_12 <= 12", "of_12 <= 13"),
    ("of_12 % 12", "of_12 % 13"),
    ("(12 if byte", "(11 if byte"),
    ("2000 + digits", "1900 + digits"),
    ("(100 if month", "(-100 if month"),
    ("signed=True", "signed=False"),
    (">> 6", ">> 5"),
    ("quarters / 4", "quarters / 2"),
    ("if not weekday", "if weekday > 7"),
    ("clock.utc + 0.5", "clock.utc"),
    ("- self._wall()", "+ self._wall()"),
    ("both[:REGISTERS] == both", "both[:REGISTERS] != both"),
    ("TRIES: Final = 3", "TRIES: Final = 1"),
    ("since_ms is None or changed", "changed"),
    ("since_ms is None or changed", "since_ms is None"),
    ("if not changed:", "if changed:"),
    ("now_ms - since_ms", "now_ms"),
    ("-1 if since_ms", "0 if since_ms"),
    ("LOST: Final = 1", "LOST: Final = 2"),
]


class FakeDS3231:
    """Registers that wrap; `ticks` are read before the others."""

    def __init__(self, registers: str = KNOWN, *ticks: bytes) -> None:
        self.registers = bytes.fromhex(registers)
        self.ticks = list(ticks)
        self.asked: list[bytes] = []
        self.closed = 0

    def read(self, register: int, length: int) -> bytes:
        return self.transfer(bytes((register,)), length)

    def write(self, register: int, data: bytes) -> None:
        raise AssertionError(f"it wrote {data.hex()} to 0x{register:02x}")

    def transfer(self, data: bytes, length: int) -> bytes:
        assert len(data) < 2, f"it wrote {data.hex()}"
        self.asked.append(data)
        if self.ticks:
            return self.ticks.pop(0)
        first = data[0] if data else 0x07
        return bytes(self.registers[(first + i) % len(self.registers)] for i in range(length))

    def close(self) -> None:
        self.closed += 1


def registers(clock: str = "305912 032311 26", status: str = "08", warm: str = "1940") -> str:
    """Return all registers with these in them."""
    return f"{clock} 00000000000000 1c {status} 00 {warm}"


def opened(module: ModuleType, chip: FakeDS3231, wall: float = 0.0) -> Any:
    return module.DS3231(chip, module.DS3231Options(), wall=lambda: wall)


def known_answers_hold(module: ModuleType) -> bool:
    """Whether a driver reads time, loss and temperature, and nothing into other bytes."""
    try:
        if opened(module, FakeDS3231(), NOON).read(0).values != (25.25, 0.0, 0.5):
            return False
        times = [opened(module, FakeDS3231(registers(at))).read(0).values[2] for at in AT]
        warm = [opened(module, FakeDS3231(registers(warm=w))).read(0).values[0] for w in WARM]
        lost = opened(module, FakeDS3231(registers(status="88"))).read(0)
    except (EdgenodeError, IndexError):
        return False
    wanted = [at + 0.5 for at in AT.values()]
    known = times == wanted and warm == list(WARM.values())
    said = (lost.values[1:], lost.quality[2], [event.channel for event in lost.events])
    return known and said == ((1.0, None), Quality.FAULT, [1]) and doubts(module) and tells(module)


def doubts(module: ModuleType) -> bool:
    """Whether nothing that cannot be is taken for a clock, and a tick is read again."""
    wrong = [registers(clock) for clock in NEVER]
    wrong += [registers(status=s) for s in ("18", "28", "48")]
    wrong += [registers(warm=w) for w in ("1941", "1960", "d7c0", "5540", "8000")]
    if any(module.DS3231.identify(FakeDS3231(one)) for one in wrong):
        return False
    one = bytes.fromhex(registers())
    ticking = one + bytes((0x31, *one[1:]))
    try:
        return bool(module.DS3231.identify(FakeDS3231(registers(), ticking)))
    except EdgenodeError:
        return False


def tells(module: ModuleType) -> bool:
    """Whether losing and setting the time are told once each, with how long it was so."""
    chip = FakeDS3231()
    sensor = opened(module, chip)
    at_first = opened(module, FakeDS3231(registers(status="88"))).read(0)
    told = [event.value for event in at_first.events]
    for now_ms, status in ((1_000, "08"), (2_000, "88"), (3_000, "88"), (5_000, "08")):
        chip.registers = bytes.fromhex(registers(status=status))
        told += [event.value for event in sensor.read(now_ms).events]
    return told == [(1, -1), (1, 1_000), (0, 3_000)]
