"""Known answers of the DS18B20 driver, and changes that must not give them.

Datasheet table 1: 0x0191 is 25.0625 °C, 0xFF5E is -10.125 °C, 0x0550 is 85 °C and power-on.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from edgenode.errors import DriverError
from tests.support.boards import FakeTree
from tests.support.devices import w1

ROM = "28-0316a2795bff"
WARM = bytes.fromhex("91 01 4b 46 7f ff 0f 10 25")
COLD = bytes.fromhex("5e ff 4b 46 7f ff 02 10 49")
POWER_ON = bytes.fromhex("50 05 4b 46 7f ff 0c 10 1c")
HOT = bytes.fromhex("50 05 4b 46 7f ff 10 10 0e")

MUTANTS = (
    ("millidegrees / 1000", "millidegrees / 1024"),
    ("millidegrees / 1000", "-millidegrees / 1000"),
    ("POWER_ON: Final = 85_000", "POWER_ON: Final = 84_000"),
    ("RESERVED_AT: Final = 6", "RESERVED_AT: Final = 5"),
    ('UNCONVERTED: Final = "0c"', 'UNCONVERTED: Final = "10"'),
    ("millidegrees == POWER_ON and", "millidegrees == POWER_ON or"),
    ('answer[3] != "YES"', 'answer[3] == "YES"'),
    ('answer[3] != "YES" or', 'answer[3] == "MAYBE" or'),
    ("{OPEN_LINE, HELD_LINE}", "{OPEN_LINE}"),
    ("{OPEN_LINE, HELD_LINE}", "{HELD_LINE}"),
    ("t=(-?[0-9]+)", "t=-?([0-9]+)"),
    ("int(answer[4])", "int(answer[2], 16)"),
    ("{self._id}/w1_slave", "{self._id}/w1_master"),
    ("low=-55", "low=-10"),
    ('"Cel", -2', '"Cel", 0'),
)


def answer(module: ModuleType, scratchpad: bytes, millidegrees: int, *, good: bool = True) -> Any:
    """Return what is read of a part that was opened in good health, "refused" for an error."""
    tree = FakeTree(w1(ROM, WARM, 25_062))
    try:
        sensor = module.DS18B20(tree, module.DS18B20Options(id=ROM))
        tree.files.update(w1(ROM, scratchpad, millidegrees, good=good))
        return sensor.read(0).values[0]
    except DriverError:
        return "refused"


def holds(module: ModuleType) -> bool:
    """Whether the datasheet's examples are read, and what is no measurement is refused."""
    (channel,) = module.DS18B20.channels
    told = [
        answer(module, WARM, 25_062),
        answer(module, COLD, -10_125),
        answer(module, HOT, 85_000),
        answer(module, POWER_ON, 85_000),
        answer(module, WARM, 25_062, good=False),
        answer(module, b"\xff" * 9, -62),
        answer(module, bytes(9), 0),
    ]
    known = [25.062, -10.125, 85.0, *["refused"] * 4]
    return told == known and (channel.low, channel.scale) == (-55, -2)
