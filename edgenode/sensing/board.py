"""The newest values of channels that another sensor is compared with, or makes something of."""

from __future__ import annotations

from typing import Final, NamedTuple

FRESH_PERIODS: Final = 2  # older than this, a value says nothing about now


class Posted(NamedTuple):
    """A value that was ok when it was read, at boot-time `t_ms`, by a sensor of this period."""

    value: float
    t_ms: int
    every_ms: int


class Board:
    """Shared by all bus threads. No lock: one thread posts a name, and a posting is one value."""

    def __init__(self) -> None:
        self._wanted: frozenset[str] = frozenset()
        self._newest: dict[str, Posted] = {}

    @property
    def wanted(self) -> frozenset[str]:
        """The names somebody asked for; another object whenever they have changed."""
        return self._wanted

    def want(self, name: str) -> None:
        """Ask for a channel, as the birth names it. For the thread that composes the node."""
        self._wanted |= {name}

    def post(self, name: str, posted: Posted) -> None:
        """Put up the newest value of a channel."""
        self._newest[name] = posted

    def newest(self, name: str) -> Posted | None:
        """Return the newest value of a channel; None before the first."""
        return self._newest.get(name)

    def fresh(self, name: str, now_ms: int) -> Posted | None:
        """Return the newest value of a channel, unless it is older than two of its periods."""
        posted = self._newest.get(name)
        if posted is None or now_ms - posted.t_ms > FRESH_PERIODS * posted.every_ms:
            return None
        return posted
