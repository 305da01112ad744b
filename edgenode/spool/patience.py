"""When to try a disk again that has refused: ever more rarely, up to once a minute."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

FIRST_MS: Final = 1_000
MOST_MS: Final = 60_000


class Patience:
    """Whether the disk is well, and if not, from which boot-time it is tried again.

    `told` are the reasons that an earlier process told and not the end of.
    """

    def __init__(self, told: Iterable[int] = ()) -> None:
        self._told = set(told)
        self._pause_ms = FIRST_MS
        self.until_ms = 0  # 0: it is well

    @property
    def tried(self) -> bool:
        """Whether the disk has refused since it was last well."""
        return bool(self.until_ms)

    def refused(self, reason: int, now_ms: int) -> bool:
        """Note that the disk refuses; return whether that is to be told."""
        news = not self.tried and reason not in self._told
        self._pause_ms = min(2 * self._pause_ms, MOST_MS) if self.tried else FIRST_MS
        self.until_ms = now_ms + self._pause_ms
        if news:
            self._told.add(reason)
        return news

    def well(self) -> list[int]:
        """Note that it takes writes; return the reasons that are over, each once."""
        self.until_ms = 0
        over, self._told = sorted(self._told), set()
        return over
