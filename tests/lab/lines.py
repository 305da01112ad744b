"""In the guest: a GPIO chip that the kernel simulates, and whose levels we are the world for.

Documentation/admin-guide/gpio/gpio-sim.rst.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

CONFIG: Final = Path("/sys/kernel/config/gpio-sim")
LEVELS: Final = (b"pull-down", b"pull-up")


class Chip:
    """A chip of gpio-sim, there from its making until `remove`."""

    def __init__(self, name: str, lines: int) -> None:
        self._config = CONFIG / name
        self._bank = self._config / "bank0"
        self._bank.mkdir(parents=True)
        (self._bank / "num_lines").write_text(str(lines))
        (self._config / "live").write_text("1")
        device = (self._config / "dev_name").read_text().strip()
        chip = (self._bank / "chip_name").read_text().strip()
        self.path = f"/dev/{chip}"
        self._lines = Path(f"/sys/devices/platform/{device}/{chip}")

    def pull(self, line: int, *levels: bool) -> None:
        """Put these levels on a line, one after another."""
        descriptor = os.open(self._lines / f"sim_gpio{line}/pull", os.O_WRONLY)
        try:
            for level in levels:
                os.pwrite(descriptor, LEVELS[level], 0)
        finally:
            os.close(descriptor)

    def pulses(self, line: int, number: int) -> None:
        """Let a line that is low rise and fall so often."""
        self.pull(line, *[True, False] * number)

    def driven(self, line: int) -> bool:
        """Return the level of a line, whoever drives it."""
        return (self._lines / f"sim_gpio{line}/value").read_text().strip() == "1"

    def remove(self) -> None:
        """Take the chip away, also from under whoever holds its lines."""
        (self._config / "live").write_text("0")
        self._bank.rmdir()
        self._config.rmdir()
