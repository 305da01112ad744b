"""Known answers of the health driver, and the changes to it that must not give them."""

from __future__ import annotations

from types import ModuleType
from unittest.mock import patch

import pytest

from drivers import health
from tests.support.boards import CM4, PC, PI4, FakeTree

FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
EMMC = "sys/block/mmcblk0/device"
MUTANTS = [
    ("/ 1000", "/ 1024"),
    ('("cpu", "soc", "pkg")', '("acpi", "soc", "pkg")'),
    ("UNDER_VOLTAGE: Final = 0x1", "UNDER_VOLTAGE: Final = 0x2"),
    ("FOUR_BITS: Final = 0xF", "FOUR_BITS: Final = 0x7"),
    ("SINCE_BOOT: Final = 16", "SINCE_BOOT: Final = 15"),
    ("int(text, 16)", "int(text, 0)"),
    ('"rpi_volt"', '"cpu_thermal"'),
    ("IDLE: Final = (3, 4)", "IDLE: Final = (3,)"),
    ("CPU_COLUMNS: Final = 8", "CPU_COLUMNS: Final = 10"),
    ("LEVEL: Final = 3", "LEVEL: Final = 2"),
    ("NO_LEVEL < level < 0", "NO_LEVEL < level"),
    ('"MemAvailable"', '"MemFree"'),
    ("* 1024", "* 1000"),
    ("split()[0])\n\n\ndef wifi", "split()[1])\n\n\ndef wifi"),
    ("self._latched == 0", "self._latched is not None"),
    ("not self._low", "self._low"),
]
OF_THE_CARD = [
    ("SECTOR_BYTES: Final = 512", "SECTOR_BYTES: Final = 4096"),
    ("SECTORS_WRITTEN: Final = 6", "SECTORS_WRITTEN: Final = 2"),
    ("LIFE_STEP: Final = 10", "LIFE_STEP: Final = 1"),
    ("LIFE_STEPS: Final = 0x0B", "LIFE_STEPS: Final = 0x0A"),
    ("2: 80", "2: 20"),
    ("3: 90", "3: 10"),
    (">= len(nearest)", "<= len(nearest)"),
]


STATE_FILES = [
    {**PI4, FIRMWARE: "50005"},
    {**PI4, FIRMWARE: "80008"},
    {**PI4, "proc/net/wireless": PI4["proc/net/wireless"].replace("-49.", "57.")},
    CM4,
    {**CM4, "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1"},
    {**CM4, f"{EMMC}/life_time": "0x0b 0x01"},
    {**CM4, f"{EMMC}/pre_eol_info": "0x02"},
    {**CM4, f"{EMMC}/pre_eol_info": "0x03"},
    PC,
]
NONE = None
# By hand from those files: °C, supply, throttled now and since boot, MB free, % busy, MB written,
# % of life, dBm, s.
KNOWN = [
    (48.686, 1, 5, 5, 3497.0624, 30, 2147.483648, NONE, -49, 350735.47),
    (48.686, 0, 8, 8, 3497.0624, 30, 2147.483648, NONE, -49, 350735.47),
    (48.686, 0, 0, 0, 3497.0624, 30, 2147.483648, NONE, NONE, 350735.47),
    (61.342, 0, NONE, NONE, 3497.0624, 30, 2147.483648, 20, NONE, 12.5),
    (61.342, 1, NONE, NONE, 3497.0624, 30, 2147.483648, 20, NONE, 12.5),
    (61.342, 0, NONE, NONE, 3497.0624, 30, 2147.483648, 110, NONE, 12.5),
    (61.342, 0, NONE, NONE, 3497.0624, 30, 2147.483648, 80, NONE, 12.5),
    (61.342, 0, NONE, NONE, 3497.0624, 30, 2147.483648, 90, NONE, 12.5),
    (55.0, NONE, NONE, NONE, 12_288.0, 30, 0.512, NONE, NONE, 86_400),
]
SUPPLY = [("0", 0), ("10000", 1), ("10000", 0), ("50005", 1), ("50005", 0), ("50000", 0)]


def known_answers_hold(module: ModuleType) -> bool:
    """Whether a driver reads the files of the boards, and tells of the supply, as is known."""
    for files, known in zip(STATE_FILES, KNOWN, strict=True):
        tree = FakeTree(dict(files))
        driver = module.Health(tree, module.HealthOptions())
        # user +10, nice +5, system +6, idle +60, iowait +10, irq +3, softirq +4, steal +2
        tree.files["proc/stat"] = "cpu  1010 55 506 90060 410 3 54 2 340 5"
        values = list(driver.read(0).values)
        found = [v if v is None else v / 1e6 if at in {4, 7} else v for at, v in enumerate(values)]
        if not all(_same(f, k) for f, k in zip(found[:6] + found[7:11], known, strict=True)):
            return False
    tree = FakeTree(dict(PI4))
    driver = module.Health(tree, module.HealthOptions())
    for bits, events in SUPPLY:
        tree.files[FIRMWARE] = bits
        if len(driver.read(0).events) != events:
            return False
    return True


def card_holds(module: ModuleType) -> bool:
    """Whether the same is known where the driver asks this module about the disk."""
    names = ("card_written", "card_life_used", "disk_of")
    with patch.multiple(health, **{name: getattr(module, name) for name in names}):
        return known_answers_hold(health)


def _same(found: float | None, known: float | None) -> bool:
    return found == (None if known is None else pytest.approx(known))
