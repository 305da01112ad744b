"""Maintenance: somebody works on the node, so readings are flagged and alarms are silent.

It ends by itself, and it outlives a restart of the daemon, since whoever works on a node may
restart it. After a reboot boot-time says nothing about it any more: it has ended.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, Final, NamedTuple

from edgenode.clock import Clock
from edgenode.node.statefile import replaced, text_of

LOG = logging.getLogger(__name__)

WHY_MOST: Final = 80


class Visit(NamedTuple):
    """Maintenance that is going on."""

    began_ms: int  # boot-time
    until_ms: int  # boot-time
    why: str


class Visits:
    """Whether somebody works on the node now. Any thread may ask; the main thread changes it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._visit = self._remembered()

    def now(self) -> Visit | None:
        """Return the maintenance that is going on; None where there is none, or it is over."""
        visit = self._visit
        return visit if visit and self._clock.boot_ms() < visit.until_ms else None

    def begin(self, minutes: int, why: str) -> Visit:
        """Begin, or go on for `minutes` from now; what began keeps its beginning."""
        going, now_ms = self.now(), self._clock.boot_ms()
        began_ms = going.began_ms if going else now_ms
        self._visit = Visit(began_ms, now_ms + minutes * 60_000, why[:WHY_MOST])
        self._remember(json.dumps([self._clock.boot_id(), *self._visit]))
        return self._visit

    def end(self) -> None:
        """End it; nothing happens where there is none."""
        self._visit = None
        self._remember("[]")

    def _remember(self, text: str) -> None:
        if not replaced(self._path, f"{text}\n"):
            LOG.warning("%s cannot be written: a restart will not know of this", self._path)

    def _remembered(self) -> Visit | None:
        try:
            row: Any = json.loads(text_of(self._path) or "[]")
            boot, began_ms, until_ms, why = row
            visit = Visit(int(began_ms), int(until_ms), str(why)[:WHY_MOST])
        except (ValueError, TypeError):
            return None
        return visit if boot == self._clock.boot_id() else None
