"""A lamp of the board itself, for who stands before a node that has refused its document.

The kernel blinks it (Documentation/leds/leds-class.rst, ledtrig-timer), so nothing has to run.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

LEDS: Final = Path("sys/class/leds")
NAMES: Final = ("ACT", "led0")  # of a Raspberry Pi, by newer and older kernels
TRIGGER: Final = "timer"
USUAL: Final = "mmc0"  # what the firmware of a Raspberry Pi lets it show: the card at work
# Slow and even. Debian's device trees let ACT beat like a heart (ledtrig-heartbeat), two short
# flashes and a pause, and the firmware's let it flicker with the card: it must be like neither.
BLINK_MS: Final = {"delay_on": "1000", "delay_off": "1000"}


def blink(root: Path) -> bool:
    """Let it flash; False where the board has no such lamp, or its kernel no such trigger."""
    return any(_set(root / LEDS / name, TRIGGER, BLINK_MS) for name in NAMES)


def restore(root: Path) -> None:
    """Let it show the card again, if it flashes."""
    for name in NAMES:
        with suppress(OSError):
            if f"[{TRIGGER}]" in (root / LEDS / name / "trigger").read_text():
                _set(root / LEDS / name, USUAL, {})


def _set(lamp: Path, trigger: str, values: dict[str, str]) -> bool:
    try:
        if (
            trigger
            not in (lamp / "trigger").read_text().replace("[", " ").replace("]", " ").split()
        ):
            return False
        (lamp / "trigger").write_text(trigger)
        for name, value in values.items():
            (lamp / name).write_text(value)
    except OSError:
        return False
    return True
