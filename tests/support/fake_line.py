"""A GPIO line with the kernel's queue: the oldest event goes, the count stays exact."""

from __future__ import annotations

import os

from edgenode.bus import LineEvent, StateChange
from edgenode.errors import BusError


class FakeWire:
    """What every fake of a line has: a descriptor, an end, and a way to go."""

    def __init__(self) -> None:
        self.gone = False
        self.closed = 0
        self._ready = os.eventfd(0, os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self._ready

    def close(self) -> None:
        if not self.closed:
            os.close(self._ready)
        self.closed += 1

    def __del__(self) -> None:
        if not self.closed:  # a test that leaves a line open must not cost the next ones theirs
            os.close(self._ready)

    def _still_there(self) -> None:
        if self.gone:
            raise BusError("fake: the line ended")


class FakeLine(FakeWire):
    """Stands where a line of edgenode.bus stands; `pulse` and `edge` are the street."""

    def __init__(self, queue: int = 16, seqno: int = 0, inherited: int | None = None) -> None:
        super().__init__()
        self.queue, self.seqno = queue, seqno
        self.line_seqno = seqno if inherited is None else 0
        self.waiting: list[LineEvent] = []
        self.high = False
        self.inherited = inherited
        self.kept: list[int] = []

    def pulse(self, count: int = 1) -> None:
        """So many rising edges, as a line has them that is watched for those alone."""
        for _ in range(count):
            self._put(1, self.seqno)

    def edge(self, at_ms: float) -> None:
        """The line changes at this boot-time."""
        self.high = not self.high
        self._put(1 if self.high else 2, round(at_ms * 1_000_000))

    def _put(self, edge: int, stamp_ns: int) -> None:
        self.seqno = (self.seqno + 1) % (1 << 32)
        self.waiting.append(LineEvent(stamp_ns, edge, 0, self.seqno, self.seqno))
        self.waiting = self.waiting[-self.queue :]
        os.eventfd_write(self._ready, 1)

    def events(self) -> list[LineEvent]:
        self._still_there()
        events, self.waiting = self.waiting, []
        if events:
            self.line_seqno = events[-1].line_seqno
            os.eventfd_read(self._ready)
        return events

    def level(self) -> bool:
        self._still_there()
        return self.high

    def keep(self, total: int) -> None:
        self.kept.append(total)


class FakeState(FakeWire):
    """Stands where a state line of edgenode.bus stands; `change` is the street."""

    def __init__(self, *, active: bool = False, queue: int = 1024) -> None:
        super().__init__()
        self.active, self.queue = active, queue
        self._level = active
        self._waiting: list[StateChange] = []
        self._dropped = 0

    def change(self, *at_ms: int) -> None:
        """The line changes at each of these boot-times; a full queue loses its oldest change."""
        for t_ms in at_ms:
            self._level = not self._level
            self._waiting.append(StateChange(t_ms, self._level))
        over = max(0, len(self._waiting) - self.queue)
        self._waiting = self._waiting[over:]
        self._dropped += over
        os.eventfd_write(self._ready, 1)

    def changes(self) -> tuple[list[StateChange], int]:
        self._still_there()
        changes, self._waiting = self._waiting, []
        dropped, self._dropped = self._dropped, 0
        if changes:
            self.active = changes[-1].active
            os.eventfd_read(self._ready)
        return changes, dropped
