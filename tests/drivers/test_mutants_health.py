"""One wrong constant, column or sign in the health driver must turn its known answers red."""

from __future__ import annotations

from types import ModuleType

import pytest

from drivers import health
from tests.support.boards import CM4, PC, PI4, FakeTree
from tests.support.mutants import mutated

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
    ("SECTOR_BYTES: Final = 512", "SECTOR_BYTES: Final = 4096"),
    ("SECTORS_WRITTEN: Final = 6", "SECTORS_WRITTEN: Final = 2"),
    ("LIFE_STEP: Final = 10", "LIFE_STEP: Final = 1"),
    ("LIFE_STEPS: Final = 0x0B", "LIFE_STEPS: Final = 0x0A"),
    ("2: 80", "2: 20"),
    ("3: 90", "3: 10"),
    ("IDLE: Final = (3, 4)", "IDLE: Final = (3,)"),
    ("CPU_COLUMNS: Final = 8", "CPU_COLUMNS: Final = 10"),
    ("LEVEL: Final = 3", "LEVEL: Final = 2"),
    ("NO_LEVEL < level < 0", "NO_LEVEL < level"),
    ('"MemAvailable"', '"MemFree"'),
    ("* 1024", "* 1000"),
    ("split()[0])\n\n\ndef wifi", "split()[1])\n\n\ndef wifi"),
    ("self._latched == 0", "self._latched is not None"),
    ("not self._low", "self._low"),
    (">= len(nearest)", "<= len(nearest)"),
]


def answers(module: ModuleType) -> list[object]:
    """Return everything that the boards' files come to, in good and bad states."""
    found: list[object] = []
    states = [
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
    for files in states:
        tree = FakeTree(dict(files))
        driver = module.Health(tree, module.HealthOptions())
        for ticks in ("1010 55 506 90060 410 3 54 2 340 5", "1020 60 510 90120 420 9 60 8 350 9"):
            sample = driver.read(0)
            found += [sample.values, [int(q) for q in sample.quality], len(sample.events)]
            tree.files["proc/stat"] = f"cpu  {ticks}"
    tree = FakeTree(dict(PI4))
    driver = module.Health(tree, module.HealthOptions())
    for bits in ("0", "10000", "10000", "50005", "50005", "50000"):
        tree.files[FIRMWARE] = bits
        found.append(len(driver.read(0).events))
    return found


KNOWN = answers(health)  # which tests/drivers/test_health.py holds against the boards


@pytest.mark.parametrize(("old", "new"), MUTANTS, ids=[new for _, new in MUTANTS])
def test_a_wrong_constant_column_or_sign_changes_the_answers(old: str, new: str) -> None:
    assert answers(mutated(health, old, new)) != KNOWN
