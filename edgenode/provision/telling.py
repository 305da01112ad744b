"""What a first boot tells: status.txt for laptops, a file for `edgenode status`, and the lamp.

The lamp is one of the board itself, for who stands before a node that has refused its document.
The kernel blinks it (Documentation/leds/leds-class.rst, ledtrig-timer), so nothing has to run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from edgenode import durable
from edgenode.provision.places import STATUS, Places

REFUSED: Final = "refused.json"
HEAD: Final = 64  # bytes of status.txt that show what it is
HEADS: Final = (b"REFUSED", b"NOT FINISHED")
AGAIN: Final = (
    "Put a corrected node.json on this partition and switch the node on again.",
    "`edgenode provision check node.json` finds the same mistakes before that.",
    "Until then the node goes on as it was.",
)
DISK: Final = (
    "Switch the node on again. If it says this once more its card is full, worn or read-only:",
    "`edgenode doctor` on the node tells more; else write another card.",
)
LEDS: Final = Path("sys/class/leds")
NAMES: Final = ("ACT", "led0")  # of a Raspberry Pi, by newer and older kernels
TRIGGER: Final = "timer"
USUAL: Final = "mmc0"  # what the firmware of a Raspberry Pi lets it show: the card at work
# Slow and even. Debian's device trees let ACT beat like a heart (ledtrig-heartbeat), two short
# flashes and a pause, and the firmware's let it flicker with the card: it must be like neither.
BLINK_MS: Final = {"delay_on": "1000", "delay_off": "1000"}


def well(places: Places, lines: Sequence[str]) -> None:
    """Say on the boot partition what the node is, and take back that it has refused anything."""
    _status(places.boot, lines)
    _take_back(places)


def refused(
    places: Places, head: str, problems: Sequence[str], advice: Sequence[str] = AGAIN
) -> None:
    """Say everywhere why a document was not taken; `head` is one line, each problem another."""
    lines = [head, *(f"- {problem}" for problem in problems), "", *advice]
    with suppress(OSError):  # a boot partition that takes no writes silences none of the others
        _status(places.boot, lines)
    with suppress(OSError):
        places.run.parent.mkdir(parents=True, exist_ok=True)
        durable.directory(places.run, 0o755, None)  # everybody may ask `edgenode status`
        text = json.dumps({"head": head, "problems": list(problems)}, ensure_ascii=False)
        durable.write(places.run / REFUSED, text.encode(), 0o644, None)
    _blink(places.root)


def forget(places: Places) -> None:
    """Take back that a document was refused: it is not there any more."""
    with suppress(OSError):
        if (durable.read(places.boot / STATUS, HEAD) or b"").startswith(HEADS):
            durable.remove(places.boot / STATUS)
    _take_back(places)


def _take_back(places: Places) -> None:
    (places.run / REFUSED).unlink(missing_ok=True)
    _restore(places.root)


def _status(boot: Path, lines: Sequence[str]) -> None:
    """Write status.txt as editors of any laptop show it: UTF-8, lines ended by CR LF."""
    text = "".join(f"{line}\r\n" for line in lines)
    durable.write(boot / STATUS, text.encode(), None, None)


def _blink(root: Path) -> bool:
    """Let it flash; False where the board has no such lamp, or its kernel no such trigger."""
    return any(_set(root / LEDS / name, TRIGGER, BLINK_MS) for name in NAMES)


def _restore(root: Path) -> None:
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
