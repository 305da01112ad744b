"""When a sensor that was given up is tried again."""

from __future__ import annotations

from typing import Final, Literal

BACKOFF_FIRST_MS: Final = 1_000
BACKOFF_MOST_MS: Final = 60_000

Position = Literal["closed", "open", "half-open"]


class Breaker:
    """Closed while the sensor is served; open after a failure, for a time that doubles.

    After that time it is half-open: the next slot tries the sensor, which closes it or opens it
    again for twice as long.
    """

    def __init__(self) -> None:
        self._broken = False
        self._backoff_ms = BACKOFF_FIRST_MS
        self._retry_ms = 0

    def holds(self, at_ms: int) -> bool:
        """Return whether the sensor is left alone at boot-time `at_ms`."""
        return self._broken and at_ms < self._retry_ms

    def fail(self, at_ms: int) -> None:
        """Open for the backoff, and double that."""
        self._broken = True
        self._retry_ms = at_ms + self._backoff_ms
        self._backoff_ms = min(self._backoff_ms * 2, BACKOFF_MOST_MS)

    def close(self) -> None:
        """Go on as if nothing had been."""
        self._broken, self._backoff_ms = False, BACKOFF_FIRST_MS

    def hasten(self) -> None:
        """Try at the next slot: something has changed that may have helped."""
        self._retry_ms, self._backoff_ms = 0, BACKOFF_FIRST_MS

    def position(self, now_ms: int) -> Position:
        """Return where it stands."""
        if not self._broken:
            return "closed"
        return "open" if now_ms < self._retry_ms else "half-open"

    @property
    def retry_ms(self) -> int | None:
        """The boot-time from which the sensor is tried again; None while closed."""
        return self._retry_ms if self._broken else None
