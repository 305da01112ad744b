"""Known answers of what Bosch's parts share, and changes that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from drivers.bosch import PARTS
from edgenode.errors import EdgenodeError
from edgenode.reading import Quality, Sample
from tests.drivers.test_bme280 import (
    CALIBRATION,
    TRIM_LOW,
    integer_fine,
    integer_pressure,
    results,
)
from tests.support.fake_i2c import FakeI2C

OF_THE_COMPENSATION = [
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
    ("(p / 256) ** 3", "(p / 256) ** 2"),
    ("* p10 / 131072", "* p10 / 65536"),
    ('"big") >> 4', '"big") >> 3'),
    ("0x58:", "0x59:"),
    ("0x60:", "0x62:"),
    ("REG_ID: Final = 0xD0", "REG_ID: Final = 0xD1"),
    ("if name == part", "if name != part"),
    ("raw_t == SKIPPED_20_BITS", "raw_t == 0"),
    ("raw_p == SKIPPED_20_BITS", "raw_p == 0"),
    ("return None if raw_p", "return raw_t if raw_p"),
    ("min(max(percent, 0.0), 100.0)", "max(percent, 0.0)"),
    ("min(max(percent, 0.0), 100.0)", "min(percent, 100.0)"),
    ("if held == percent", "if held != percent"),
    ("Quality.FAULT if held is None", "Quality.OK if held is None"),
    ("Quality.FAULT if pascal is None", "Quality.OK if pascal is None"),
    ("fine / 5120", "fine / 5100"),
    ("register - first", "register"),
    ("- first] & meant", "- first]"),
    ("holds != value", "holds == value"),
]
OF_FORCED_MODE = [
    ('"<Hhh Hhhhhhhhh"', '"<hhh Hhhhhhhhh"'),
    ('"<Hhh Hhhhhhhhh"', '">Hhh Hhhhhhhhh"'),
    ("words[:3], words[3:]", "words[3:], words[:3]"),
    ("bytes((ALL_X1_FORCED,))", "bytes((ALL_X1_SLEEP,))"),
    ("STATUS_BUSY: Final = 0x09", "STATUS_BUSY: Final = 0x01"),
    ("REG_CTRL_MEAS: Final = 0xF4", "REG_CTRL_MEAS: Final = 0xF5"),
    ("REG_STATUS: Final = 0xF3", "REG_STATUS: Final = 0xF2"),
    ("MEASURING_S: Final = 0.010", "MEASURING_S: Final = 0.005"),
    ("STARTING_S: Final = 0.002", "STARTING_S: Final = 0.001"),
    ("TRIES: Final = 5", "TRIES: Final = 1"),
    ("(0xFF, ALL_X1_SLEEP)", "(0x00, 0x00)"),
    ("(0xFD, 0x00)", "(0xFF, 0x00)"),
    ("REG_RESULTS: Final = 0xF7", "REG_RESULTS: Final = 0xF6"),
]
COUNTS = [(415148, 519888, 28000), (300000, 420000, 21000), (500000, 600000, 40000)]
P10 = 30
OK, CLAMPED, FAULT = Quality.OK, Quality.CLAMPED, Quality.FAULT


def compensation_holds(module: ModuleType) -> bool:
    """Whether both formulas agree with the datasheet's integer ones, and chips are told apart."""
    for raw_p, raw_t, raw_h in COUNTS:
        fine = integer_fine(raw_t)
        if module.twenty_bits(results(raw_p, raw_t, raw_h), "x") != (raw_p, raw_t):
            return False
        if abs(module.heat(raw_t, CALIBRATION.t) - fine) > 20:
            return False
        pascal = module.pressure(raw_p, fine, CALIBRATION.p)
        if abs(pascal - integer_pressure(raw_p, fine)) > 1:
            return False
    return cube_holds(module) and chips_hold(module) and marks_hold(module)


def cube_holds(module: ModuleType) -> bool:
    """Whether P10 adds what its definition says to a pressure that nothing else corrects."""
    bare = (*CALIBRATION.p[:6], 0, 0, 0)
    fine = integer_fine(519888)
    pascal = module.pressure(415148, fine, bare)
    added = module.pressure(415148, fine, bare, P10) - pascal
    cubes = (pascal / 256) * (pascal / 256) * (pascal / 256)
    return bool(abs(added * 16 * 131072 - P10 * cubes) < 1)


def marks_hold(module: ModuleType) -> bool:
    """Whether what was not measured, what is held, and what is not as it was set are told."""
    if module.twenty_bits(results(0x80000, 519888), "x") != (None, 519888):
        return False
    values = (OK, CLAMPED, OK)
    expected = {
        (50.0, 1e5): ((1.0, 50.0, 1e5), (OK, OK, OK)),
        (101.0, 1e5): ((1.0, 100.0, 1e5), values),
        (-1.0, 1e5): ((1.0, 0.0, 1e5), values),
        (None, 1e5): ((1.0, None, 1e5), (OK, FAULT, OK)),
        (50.0, None): ((1.0, 50.0, None), (OK, OK, FAULT)),
    }
    if any(module.air(5120.0, *given) != told for given, told in expected.items()):
        return False
    controls = {0xF4: (0xFF, 0x24), 0xF5: (0x0F, 0x01)}
    refused = [raises(module.prove, data, 0xF4, controls, "x") for data in (b"\x24\xf1", b"\x24\0")]
    return refused == [False, True] and raises(module.twenty_bits, results(0, 0x80000), "x")


def raises(function: Any, *arguments: Any) -> bool:
    """Whether these are refused."""
    try:
        function(*arguments)
    except (EdgenodeError, IndexError):
        return True
    return False


def chips_hold(module: ModuleType) -> bool:
    """Whether each chip is taken for itself alone."""
    for number, name in PARTS.items():
        chip = FakeI2C({0xD0: bytes((number,))})
        for part in ("BMP280", "BME280"):
            if raises(module.prove_identity, chip, part, "here") != (name != part):
                return False
    return True


def forced_mode_holds(module: ModuleType) -> bool:
    """Whether a chip is reset, waited for, calibrated, triggered and waited for again."""
    hot = b"\x01\xc0" + TRIM_LOW[2:]  # T1 has no sign
    if module.trim(hot, "x") != ((0xC001, *CALIBRATION.t[1:]), CALIBRATION.p):
        return False
    chip = Slow()
    naps: list[float] = []
    try:
        made = part_of(module)(chip, module.BoschOptions(), sleep=naps.append)
        chip.writes.clear()
        sample = made.read(0)
    except EdgenodeError:
        return False
    opened, measured = naps[:2], naps[2:]
    return (
        chip.writes == [(0xF4, b"\x25")]
        and min(opened) >= 0.002
        and measured == [0.010, 0.002]
        and sample == Sample((float(chip.memory[0xF7]),))
        and raises_if_set_otherwise(module)
    )


def raises_if_set_otherwise(module: ModuleType) -> bool:
    """Whether a mode or a filter that somebody else has set is refused, and a reserved bit not."""
    made = part_of(module)(Slow(), module.BoschOptions(), sleep=lambda _: None)
    refused = []
    for memory in ({0xF4: b"\x64"}, {0xF5: b"\x10"}, {0xF5: b"\x02"}):
        made._i2c.read = FakeI2C({0xF4: b"\x24", **memory}).read
        refused.append(raises(made.read, 0))
    return refused == [True, True, False]


def part_of(module: ModuleType) -> Any:
    """Return a part that is nothing but what the family shares."""

    class Bare(module.Forced280):  # type: ignore[misc, name-defined]
        model = "BMP280"
        first, burst = 0xF3, 10

        def _calibrate(self) -> None:
            """Nothing."""

        def _sample(self, results: bytes) -> Sample:
            return Sample((float(results[0]),))

    return Bare


class Slow(FakeI2C):
    """Copies its calibration for one look, and measures for one look."""

    def __init__(self) -> None:
        super().__init__({0xD0: b"\x58", 0x88: TRIM_LOW, 0xF7: b"\x53"})
        self._looks = [0x00, 0x08, 0x00, 0x01]

    def read(self, register: int, length: int) -> bytes:
        if register == 0xF3 and self._looks:
            self.memory[0xF3] = self._looks.pop()
            if not self.memory[0xF3]:
                self.memory[0xF4] &= 0xFC
        return super().read(register, length)
