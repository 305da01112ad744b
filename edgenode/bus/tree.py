"""The kernel's view of this machine: files of /proc and /sys, and two questions beside them."""

from __future__ import annotations

import os
from pathlib import Path

from edgenode.errors import BusError

TEXT_MAX = 65_536  # characters; no file that is read here is longer
SIMULATED = "sim:"


class KernelTree:
    """A Tree below `root`. What cannot be read is None: boards differ in what they have."""

    def __init__(self, root: str) -> None:
        self._root = Path(root)
        if not self._root.is_dir():
            raise BusError(f"{root}: no such directory; the path of a sysfs bus is /")

    def text(self, path: str) -> str | None:
        try:
            with (self._root / path).open(encoding="utf-8", errors="replace") as file:
                return file.read(TEXT_MAX).strip()
        except OSError:
            return None

    def names(self, path: str) -> list[str]:
        try:
            return sorted(entry.name for entry in (self._root / path).iterdir())
        except OSError:
            return []

    def free_bytes(self, path: str) -> int | None:
        try:
            found = os.statvfs(self._root / path)
        except OSError:
            return None
        return found.f_bavail * found.f_frsize

    def clock_error_ms(self) -> int | None:
        from edgenode.clock import SystemClock  # noqa: PLC0415 - ctypes, where it is asked for

        source, error_ms = SystemClock().sync()
        return error_ms if source else None

    def close(self) -> None:
        """Nothing is open."""
