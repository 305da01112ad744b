"""Names of serial ports: which of them may change with every plugging, and which stay."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

BARE: Final = re.compile(r"/dev/tty(?:USB|ACM)[0-9]+")
STABLE: Final = ("by-id", "by-path")  # udev's 60-serial.rules; by-id survives another socket too


def is_bare(path: str) -> bool:
    """Whether `path` is a name that the kernel gives in the order of plugging, as ttyUSB0 is."""
    return BARE.fullmatch(path) is not None


def ports(root: str = "/dev") -> list[str]:
    """Return every serial port that is there, by its stable name where it has one.

    Ports of a board (ttyAMA, ttyS) only where the board's own link serial0 or serial1 names one:
    a PC has 32 of them that lead nowhere.
    """
    plugged = [str(path) for path in sorted(Path(root).glob("tty*")) if BARE.fullmatch(_of(path))]
    own = [str(path) for path in sorted(Path(root).glob("serial[0-9]")) if path.exists()]
    return [stable_name(path, root) or path for path in plugged] + own


def _of(path: Path) -> str:
    return f"/dev/{path.name}"


def stable_name(path: str, root: str = "/dev") -> str | None:
    """Return the link below `root`/serial that stands for the port at `path`.

    The one by the adapter's identity, else the one by its USB socket, else None: nothing of this
    name is plugged in, or no udev runs.
    """
    port = Path(root, Path(path).name).resolve()
    for kind in STABLE:
        for link in _links(Path(root, "serial", kind)):
            if link.resolve() == port and port.exists():
                return str(link)
    return None


def _links(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError:  # there is none before the first adapter is plugged in
        return []
