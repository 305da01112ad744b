"""An RS-485 line in simulated time: what is written is answered, byte by byte, at its speed."""

from __future__ import annotations

from collections.abc import Callable

from edgenode.errors import BusError
from edgenode.reading import SerialLine

Part = Callable[[bytes], bytes]
USUAL_S = 0.03  # how long a part takes to begin its answer


class FakeCable:
    """Stands where a serial port of edgenode.bus stands; `now_s` is its own clock."""

    def __init__(self, *parts: Part, line: SerialLine | None = None) -> None:
        self.line = line or SerialLine(9600)
        self.parts = list(parts)
        self.sent: list[bytes] = []
        self.now_s = 0.0
        self.late_s = USUAL_S
        self.echo = False
        self.closed = 0
        self.broken = False
        self._coming: list[tuple[float, int]] = []  # when, which byte
        self.silences: list[float] = []  # before each request
        self._busy_s = 0.0

    @property
    def character_s(self) -> float:
        return 10 / self.line.baud

    def says(self, data: bytes, in_s: float = 0.0) -> None:
        """Have bytes come in `in_s` from now, at the speed of the line."""
        begin = self.now_s + in_s
        self._coming += [(begin + n * self.character_s, byte) for n, byte in enumerate(data, 1)]
        self._coming.sort(key=lambda one: one[0])

    def fileno(self) -> int:
        return -1

    def arrived(self) -> bytes:
        return self.receive(4096, 0.0)

    def receive(self, size: int, timeout_s: float) -> bytes:
        self._fit()
        data = bytearray()
        deadline = self.now_s + timeout_s
        while len(data) < size and self._coming and self._coming[0][0] <= deadline:
            at_s, byte = self._coming.pop(0)
            self.now_s = self._busy_s = max(self.now_s, at_s)
            data.append(byte)
        if len(data) < size:
            self.now_s = deadline
        return bytes(data)

    def write(self, data: bytes) -> None:
        self._fit()
        self.silences.append(self.now_s - self._busy_s)
        self.sent.append(data)
        spoken_s = len(data) * self.character_s
        if self.echo:
            self.says(data)
        for part in self.parts:
            self.says(part(data), spoken_s + self.late_s)
        self._busy_s = self.now_s + spoken_s

    def discard(self) -> None:
        self.arrived()

    def speed(self, baud: int) -> None:
        self._fit()
        self.line = self.line._replace(baud=baud)

    def close(self) -> None:
        self.closed += 1

    def _fit(self) -> None:
        if self.broken:
            raise BusError("fake: the port ended; was it unplugged?")
