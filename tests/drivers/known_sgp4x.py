"""Known answers of SGP40 and SGP41, and the mutants that they turn red.

`26 0F 80 00 A2 66 66 93` measures at 50 %RH and 25 °C (SGP40 datasheet, tables 9 and 10; Adafruit's
driver sends the same). BE EF 92 is the word of both datasheets' example of the checksum.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from edgenode.bus.sensirion import packed
from edgenode.errors import DriverError, ImpossibleValue, WrongDevice
from edgenode.reading import Quality
from tests.support.fake_sensirion import FakeSensirion

FEATURES, SERIAL, SELF_TEST = b"\x20\x2f", b"\x36\x82", b"\x28\x0e"
HEATER_OFF = b"\x36\x15"
AT_50_AND_25 = bytes.fromhex("8000a2 666693")
MEASURE_40 = b"\x26\x0f" + AT_50_AND_25
CONDITION = b"\x26\x12" + AT_50_AND_25
MEASURE_41 = b"\x26\x19" + AT_50_AND_25
BEEF = bytes.fromhex("beef92")
BEFORE_US = {FEATURES: packed(0x3220), SERIAL: packed(0, 0x0A1B, 0x2C3D), SELF_TEST: packed(0xD400)}
ONE = {**BEFORE_US, MEASURE_40: BEEF}
TWO = {
    **BEFORE_US,
    FEATURES: packed(0x3240),
    CONDITION: BEEF,
    MEASURE_41: BEEF + bytes.fromhex("666693"),
}
MOST_S = 10.0  # that the cell of an SGP41 may be conditioned
BLACKOUT_S = 45


class Seat:
    """A driver of one fake chip, in a time of its own."""

    def __init__(self, module: ModuleType, chip: FakeSensirion, name: str, **options: Any) -> None:
        self.now_s = 100.0
        self.naps: list[float] = []
        self.chip = chip
        self.sensor: Any = getattr(module, name)(
            chip, module.SGP4xOptions(**options), sleep=self.naps.append, clock=lambda: self.now_s
        )

    def after(self, seconds: int) -> Any:
        """Feed once a second, and return what is read then."""
        for _ in range(seconds):
            self.now_s += 1
            self.sensor.feed(int(self.now_s * 1000))
        return self.sensor.read(int(self.now_s * 1000))


def known_answers_hold(module: ModuleType) -> bool:
    """Whether both chips open, are measured and are read as their datasheets say."""
    try:
        held = one_cell(module) and two_cells(module) and ages(module)
    except (DriverError, KeyError, ValueError, AttributeError):
        return False
    return held and climates(module) and refuses(module)


def one_cell(module: ModuleType) -> bool:
    """Whether an SGP40 gives ticks at once, and its index once that has begun."""
    seat = Seat(module, FakeSensirion(ONE), "SGP40")
    if seat.chip.commands != [FEATURES, HEATER_OFF, SELF_TEST, MEASURE_40]:
        return False
    if seat.naps[2] < 0.25 or seat.naps[3] < 0.03:
        return False
    begun = seat.after(BLACKOUT_S - 1)
    if begun.values != (0xBEEF, None) or begun.quality != (Quality.OK, Quality.SETTLING):
        return False
    later = seat.after(200)
    raw = Seat(module, FakeSensirion(ONE), "SGP40", index=False)
    seat.sensor.close()
    return bool(
        later.values == (0xBEEF, 100)
        and later.quality == ()
        and raw.after(1).values == (0xBEEF,)
        and seat.chip.commands[-1] == HEATER_OFF
        and seat.sensor.pace_s == 1.0
        and seat.sensor.fileno() == -1
    )


def two_cells(module: ModuleType) -> bool:
    """Whether an SGP41 is conditioned at first, for long enough and never too long."""
    seat = Seat(module, FakeSensirion({**TWO, SELF_TEST: packed(0x0000)}), "SGP41")
    first = seat.after(1)
    if first.values != (0xBEEF, None, None, None) or first.quality[1] != Quality.SETTLING:
        return False
    later = seat.after(300)
    conditioned = seat.chip.commands.count(CONDITION)
    order = seat.chip.commands[3 + conditioned :]
    return bool(
        later.values == (0xBEEF, 0x6666, 100, 1)
        and MOST_S / 2 < conditioned < MOST_S - 1
        and set(order) == {MEASURE_41}
        and seat.naps[2] >= 0.32
        and min(seat.naps[3:]) >= 0.05
    )


def ages(module: ModuleType) -> bool:
    """Whether what was measured is stale after two seconds and a half, and lost after ten."""
    seat = Seat(module, FakeSensirion(ONE), "SGP40", index=False)
    seat.now_s += 2.4
    if seat.sensor.read(0).quality:
        return False
    seat.now_s += 0.2
    if seat.sensor.read(0).quality != (Quality.STALE,):
        return False
    seat.now_s += 7.3
    if seat.sensor.read(0).values != (0xBEEF,):
        return False
    seat.now_s += 0.2
    try:
        seat.sensor.read(0)
    except DriverError:
        return fails(module)
    return False


def fails(module: ModuleType) -> bool:
    """Whether four failures in a row are borne, and five are not."""
    seat = Seat(module, FakeSensirion(ONE), "SGP40")
    for _ in range(2):
        seat.chip.answers[MEASURE_40] = packed(1)[:2] + b"\0"
        seat.after(2)
        for _ in range(2):
            seat.sensor.feed(0)
        seat.chip.answers[MEASURE_40] = BEEF
        seat.after(1)
    seat.chip.answers[MEASURE_40] = b""
    for _ in range(4):
        seat.sensor.feed(0)
    try:
        seat.sensor.feed(0)
    except DriverError:
        return True
    return False


def climates(module: ModuleType) -> bool:
    """Whether climates are those of table 10: the ends of the scales, and the middle."""
    known = {(50, 25): (0x8000, 0x6666), (0, -45): (0, 0), (100, 130): (0xFFFF, 0xFFFF)}
    defaults = module.SGP4xOptions()
    return bool(
        all(module.climate(*given) == ticks for given, ticks in known.items())
        and (defaults.address, defaults.humidity_percent, defaults.temperature_c) == (0x59, 50, 25)
        and module.SGP41.addresses == (0x59,)
    )


def refuses(module: ModuleType) -> bool:
    """Whether each refuses the other, what is neither, and a part that fails its own test."""
    neither = {**ONE, FEATURES: packed(0x3210)}
    broken = {**ONE, SELF_TEST: packed(0x4B00)}
    tries = (
        (TWO, "SGP40", WrongDevice),
        (ONE, "SGP41", WrongDevice),
        (neither, "SGP40", WrongDevice),
        (broken, "SGP40", ImpossibleValue),
        ({**TWO, SELF_TEST: packed(0xD402)}, "SGP41", ImpossibleValue),
    )
    for answers, name, error in tries:
        try:
            Seat(module, FakeSensirion(answers), name)
        except DriverError as exc:
            if type(exc) is not error:
                return False
        else:
            return False
    return True


MUTANTS = (
    ("0x202F", "0x3682"),
    ("0x280E, 0x3615", "0x280E, 0x0006"),
    ("0x280E", "0x2032"),
    ("CONDITION: Final = 0x2612", "CONDITION: Final = 0x2619"),
    ('0x0020: "SGP40", 0x0040', '0x0040: "SGP40", 0x0020'),
    ("KIND_MASK: Final = 0x01FF", "KIND_MASK: Final = 0xFFFF"),
    ("(0xFFFF, 0xD400)", "(0xFFFF, 0x4B00)"),
    ("(0xFFFF, 0xD400)", "(0x000F, 0)"),
    ("(0x000F, 0)", "(0xFFFF, 0xD400)"),
    ("(0x000F, 0)", "(0x0000, 0)"),
    ("CONDITIONING_S: Final = 7.0", "CONDITIONING_S: Final = 10.0"),
    ("CONDITIONING_S: Final = 7.0", "CONDITIONING_S: Final = 1.0"),
    ("LATE_S: Final = 2.5", "LATE_S: Final = 3.5"),
    ("LATE_S: Final = 2.5", "LATE_S: Final = 1.5"),
    ("SILENT_S: Final = 10.0", "SILENT_S: Final = 9.0"),
    ("SILENT_S: Final = 10.0", "SILENT_S: Final = 11.0"),
    ("FAILURES_MOST: Final = 5", "FAILURES_MOST: Final = 4"),
    ("FAILURES_MOST: Final = 5", "FAILURES_MOST: Final = 6"),
    ("            self._failures = 0\n", "            pass\n"),
    ("(VocAlgorithm, NoxAlgorithm)", "(NoxAlgorithm, VocAlgorithm)"),
    ("humidity * 65535 / 100 + 0.5", "humidity * 65535 / 100"),
    ("temperature + 45", "temperature + 40"),
    ("65535 / 175", "65536 / 175"),
    ("= 50.0\n", "= 45.0\n"),
    ("= 25.0\n", "= 20.0\n"),
    ("0x260F", "0x2619"),
    ("measure: ClassVar[int] = 0x2619", "measure: ClassVar[int] = 0x260F"),
    ("ClassVar[float] = 0.03\n", "ClassVar[float] = 0.02\n"),
    ("ClassVar[float] = 0.055", "ClassVar[float] = 0.03"),
    ("testing_s: ClassVar[float] = 0.25", "testing_s: ClassVar[float] = 0.2"),
    ("ClassVar[float] = 0.32", "ClassVar[float] = 0.25"),
    ("pace_s: ClassVar[float] = 1.0", "pace_s: ClassVar[float] = 10.0"),
    ("index or None", "index"),
)
