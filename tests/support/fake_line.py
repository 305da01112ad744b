"""A GPIO line with the kernel's queue: the oldest event goes, the count stays exact."""

from __future__ import annotations

import os

from edgenode.bus import LineEvent
from edgenode.errors import BusError


class FakeLine:
    """Stands where a line of edgenode.bus stands; `pulse` is the street."""

    def __init__(self, queue: int = 16, seqno: int = 0) -> None:
        self.queue, self.seqno, self.line_seqno = queue, seqno, seqno
        self.waiting: list[LineEvent] = []
        self.gone = False
        self.closed = 0
        self.high = False
        self.inherited: int | None = None
        self.kept: int | None = None
        self._ready = os.eventfd(0, os.EFD_NONBLOCK)

    def pulse(self, count: int = 1) -> None:
        for _ in range(count):
            self.seqno = (self.seqno + 1) % (1 << 32)
            self.waiting.append(LineEvent(self.seqno, 1, 0, self.seqno, self.seqno))
        self.waiting = self.waiting[-self.queue :]
        os.eventfd_write(self._ready, 1)

    def fileno(self) -> int:
        return self._ready

    def events(self) -> list[LineEvent]:
        if self.gone:
            raise BusError("fake: the line ended")
        events, self.waiting = self.waiting, []
        if events:
            self.line_seqno = events[-1].line_seqno
            os.eventfd_read(self._ready)
        return events

    def level(self) -> bool:
        return self.high

    def keep(self, total: int) -> None:
        self.kept = total

    def close(self) -> None:
        if not self.closed:
            os.close(self._ready)
        self.closed += 1
