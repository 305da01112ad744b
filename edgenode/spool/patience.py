"""When to try a disk again that has refused: ever more rarely, up to once a minute."""

from __future__ import annotations

from typing import Final

FIRST_MS: Final = 1_000
MOST_MS: Final = 60_000


class Patience:
    """Whether the disk is well, and if not, from which boot-time it is tried again."""

    def __init__(self) -> None:
        self._pause_ms = FIRST_MS
        self.until_ms = 0  # 0: it is well

    @property
    def tried(self) -> bool:
        """Whether the disk has refused since it was last well."""
        return bool(self.until_ms)

    def refused(self, now_ms: int) -> int:
        """Note that the disk refuses; return when it is tried again."""
        self._pause_ms = min(2 * self._pause_ms, MOST_MS) if self.tried else FIRST_MS
        self.until_ms = now_ms + self._pause_ms
        return self.until_ms

    def well(self) -> None:
        """Note that it takes writes again."""
        self.until_ms = 0
