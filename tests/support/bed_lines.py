"""GPIO lines of a test bed, played by virtual instruments within this process."""

from __future__ import annotations

import os
import time

from edgenode.bus import LineEvent, StateChange
from edgenode.virtual.conduct import boot_ns
from edgenode.virtual.kinds import Hello, LineInstrument
from edgenode.virtual.watching import EVENT, QUEUE_MOST, RISING
from tests.support.beds import MS, Bed, Wire, aside


class Edges(Wire):
    """An EdgeLine; the instrument counts as the kernel does."""

    inherited: int | None = None
    line_seqno = 0

    def __init__(self, bed: Bed, instrument: LineInstrument, hello: Hello) -> None:
        super().__init__(bed)
        self.instrument = instrument
        self._watching = instrument.request(hello)
        self._queue: list[LineEvent] = []

    def next_ns(self) -> int | None:
        due_ns: int | None = self.instrument.next_ns()
        return due_ns

    def stirs(self) -> bool:
        self.instrument.advance(self.bed.now_ns)
        try:
            data = os.read(self._watching.reader, QUEUE_MOST * EVENT.size)
        except BlockingIOError:
            data = b""
        offset_ns = boot_ns() - time.monotonic_ns()  # the kernel stamps edges without suspends
        self._queue += [LineEvent(at + offset_ns, *rest) for at, *rest in EVENT.iter_unpack(data)]
        return bool(self._queue)

    @aside
    def events(self) -> list[LineEvent]:
        events, self._queue = self._queue, []
        self.line_seqno = events[-1].line_seqno if events else self.line_seqno
        return events

    def level(self) -> bool:
        high: bool = self.instrument.level()
        return high

    def keep(self, total: int) -> None:
        """Hand nothing over."""

    def close(self) -> None:
        super().close()
        self.instrument.release(self._watching)


class States(Edges):
    """A StateLine whose high level is the active one."""

    @property
    def active(self) -> bool:
        return self.level()

    @aside
    def changes(self) -> tuple[list[StateChange], int]:
        events, self._queue = self._queue, []
        return [StateChange(e.timestamp_ns // MS, e.id == RISING) for e in events], 0
