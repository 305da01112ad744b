"""A serial port in a test's hand: what has arrived, what comes next, and a clock of its own."""

from __future__ import annotations

import os

from edgenode.errors import BusError
from edgenode.reading import SerialLine

ARRIVED_MAX = 4096


class FakeSerial:
    """Stands where a port of edgenode.bus stands.

    `coming` is said piece by piece, each `pause_s` after the other, to whoever waits for it;
    `say` is for what arrives without being waited for.
    """

    def __init__(self, *coming: bytes, waiting: bytes = b"", pause_s: float = 1.0) -> None:
        self.coming, self.pause_s = list(coming), pause_s
        self.waiting = waiting
        self.line = SerialLine(9600)
        self.written: list[bytes] = []
        self.bauds: list[int] = []  # that were asked for
        self.s = 100.0
        self.gone = False
        self.closed = 0
        self._ready = -1

    def clock(self) -> float:
        return self.s

    def say(self, data: bytes) -> None:
        self.waiting += data

    def fileno(self) -> int:
        if self._ready < 0:  # only for those who ask: ports are made by the thousand
            self._ready = os.eventfd(0, os.EFD_NONBLOCK)
        return self._ready

    def arrived(self) -> bytes:
        self._there()
        data, self.waiting = self.waiting[:ARRIVED_MAX], self.waiting[ARRIVED_MAX:]
        return data

    def receive(self, size: int, timeout_s: float) -> bytes:
        self._there()
        if not self.waiting and self.coming and self.pause_s <= timeout_s:
            self.s += self.pause_s
            self.waiting = self.coming.pop(0)
        elif not self.waiting:
            self.s += timeout_s
        data, self.waiting = self.waiting[:size], self.waiting[size:]
        return data

    def write(self, data: bytes) -> None:
        self._there()
        self.written.append(data)

    def discard(self) -> None:
        self._there()
        self.waiting = b""

    def speed(self, baud: int) -> None:
        self._there()
        self.bauds.append(baud)

    def close(self) -> None:
        if self._ready >= 0:
            os.close(self._ready)
            self._ready = -1
        self.closed += 1

    def _there(self) -> None:
        if self.gone:
            raise BusError("fake: the port ended")
