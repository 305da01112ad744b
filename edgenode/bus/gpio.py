"""GPIO lines over the kernel's character device, uAPI v2: edges as the kernel counts them."""

from __future__ import annotations

import os
import struct
import time
from typing import Final, NamedTuple

from edgenode.bus.request import get_value, input_config, request_line
from edgenode.bus.store import Kept, LineStore
from edgenode.bus.wires import Bias, Edge, LineEvent
from edgenode.errors import BusError

EVENT: Final = struct.Struct("<QIIII24x")  # timestamp, id, offset, seqno, line_seqno, padding
EVENTS_PER_READ: Final = 1024


class Asked(NamedTuple):
    """How a line is asked for; `edge` None is an input that is not watched."""

    path: str
    offset: int
    edge: Edge | None
    bias: Bias
    debounce_us: int
    event_buffer: int

    @property
    def where(self) -> str:
        """The line in words, for errors."""
        return f"{self.path} line {self.offset}"


class Handover(NamedTuple):
    """Where a line may wait for the next process, under which name, and what it brought along."""

    store: LineStore
    name: str
    kept: Kept | None = None


def suspended_ns() -> int:
    """Return by how much boot-time is ahead of CLOCK_MONOTONIC: the time spent suspended.

    clock_gettime(2). A thread that is interrupted between the two clocks sees too much, never
    too little, so the least of three is taken.
    """
    return min(_ahead_ns() for _ in range(3))


def _ahead_ns() -> int:
    monotonic = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - monotonic


class EventReader:
    """The reading half of a line: a descriptor that yields 48-byte events. Owns the descriptor."""

    def __init__(self, descriptor: int, where: str, handover: Handover | None = None) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor, self._where = descriptor, where
        self._handover = handover
        self._kept = handover is not None and handover.kept is not None
        self._line_seqno = 0

    @property
    def line_seqno(self) -> int:
        return self._line_seqno

    @property
    def inherited(self) -> int | None:
        kept = self._handover.kept if self._handover else None
        return None if kept is None else kept.total

    def keep(self, total: int) -> None:
        if self._handover:
            self._handover.store.put(self._handover.name, self._descriptors(), total)
            self._kept = True

    def fileno(self) -> int:
        return self._descriptor

    def level(self) -> bool:
        return get_value(self._descriptor, self._where)

    def events(self) -> list[LineEvent]:
        ahead_ns = suspended_ns()
        try:
            data = os.read(self._descriptor, EVENT.size * EVENTS_PER_READ)
        except BlockingIOError:
            return []
        except OSError as exc:
            raise BusError(f"{self._where}: {exc.strerror or exc}; is the chip gone?") from exc
        if not data or len(data) % EVENT.size:
            raise BusError(f"{self._where}: the line ended; is the chip gone?")
        events = [
            LineEvent(stamp_ns + ahead_ns, *rest) for stamp_ns, *rest in EVENT.iter_unpack(data)
        ]
        self._line_seqno = events[-1].line_seqno
        return events

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _descriptors(self) -> tuple[int, ...]:
        """Everything that the next process needs to go on with this line."""
        return (self._descriptor,)


class KernelLine(EventReader):
    """An EdgeLine of a real chip; the kernel counts and debounces."""

    def __init__(self, asked: Asked, handover: Handover | None = None) -> None:
        if handover and handover.kept:
            (descriptor,) = handover.kept.descriptors
        else:
            config = input_config(asked.edge, asked.bias, asked.debounce_us)
            descriptor = request_line(asked.path, asked.offset, config, asked.event_buffer)
        super().__init__(descriptor, asked.where, handover)
