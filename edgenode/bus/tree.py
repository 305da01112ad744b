"""The kernel's view of this machine: files of /proc and /sys, and two questions beside them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from edgenode.errors import BusError

TEXT_MAX: Final = 65_536  # bytes; no file that is read here is longer


class KernelTree:
    """A Tree below `root`. What cannot be read is None: boards differ in what they have."""

    def __init__(self, root: str) -> None:
        self._root = Path(root)
        if not self._root.is_dir():
            raise BusError(f"{root}: no such directory; the path of a sysfs bus is /")

    def text(self, path: str) -> str | None:
        try:
            descriptor = os.open(self._at(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, ValueError):
            return None
        try:
            return os.read(descriptor, TEXT_MAX).decode("utf-8", "replace").strip()
        except OSError:  # a file of sysfs whose device has nothing to say answers so
            return None
        finally:
            os.close(descriptor)

    def names(self, path: str) -> list[str]:
        try:
            return sorted(entry.name for entry in self._at(path).iterdir())
        except (OSError, ValueError):
            return []

    def free_bytes(self, path: str) -> int | None:
        try:
            found = os.statvfs(self._at(path))
        except (OSError, ValueError):
            return None
        return found.f_bavail * found.f_frsize

    def clock_error_ms(self) -> int | None:
        from edgenode.clock import SystemClock  # noqa: PLC0415 - ctypes, where it is asked for

        source, error_ms = SystemClock().sync()
        return error_ms if source else None

    def close(self) -> None:
        """Nothing is open."""

    def _at(self, path: str) -> Path:
        """Return where `path` is; a leading / means the root of this tree, not the machine's."""
        return self._root / path.lstrip("/")
