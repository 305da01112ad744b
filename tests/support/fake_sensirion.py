"""A Sensirion sensor that knows commands and their answers, and is busy as long as it is told."""

from __future__ import annotations

from collections.abc import Mapping

from edgenode.errors import BusError


class FakeSensirion:
    """Stands where an adapter of edgenode.bus stands."""

    def __init__(self, answers: Mapping[bytes, bytes]) -> None:
        self.answers = dict(answers)
        self.commands: list[bytes] = []
        self.busy = 0  # reads that it will not acknowledge
        self.broken: BusError | None = None
        self.closed = 0
        self._answer = b""

    def transfer(self, data: bytes, length: int) -> bytes:
        if self.broken:
            raise self.broken
        if data:
            self.commands.append(data)
            self._answer = self.answers.get(data, b"")
        if not length:
            return b""
        if self.busy or not self._answer:
            self.busy -= 1
            raise BusError("fake: no acknowledge")
        answer, self._answer = self._answer, b""
        return answer[:length].ljust(length, b"\xff")

    def read(self, register: int, length: int) -> bytes:
        return self.transfer(bytes((register,)), length)

    def write(self, register: int, data: bytes) -> None:
        self.transfer(bytes((register, *data)), 0)

    def close(self) -> None:
        self.closed += 1


class Stranger(FakeSensirion):
    """Whoever stands at its address instead: it answers unasked, and obeys what it is sent."""

    def __init__(self) -> None:
        super().__init__({})

    def transfer(self, data: bytes, length: int) -> bytes:
        self.commands += [data] if data else []
        return b"\x39" * length
