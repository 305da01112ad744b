"""The node's half of simulated GPIO lines; the packets stand at the head of bus.simulated."""

from __future__ import annotations

import contextlib
import socket
from typing import Final, Self

from edgenode.bus.gpio import Asked, EventReader, Handover
from edgenode.bus.simulated import (
    ASK,
    HIGH,
    LOW,
    STATUS,
    TIMEOUT_S,
    check_status,
    connect,
    hang_up,
    received_descriptor,
    wire_errors,
)
from edgenode.bus.wires import SIMULATED
from edgenode.errors import BusError

ANSWERS_MOST: Final = 8  # that a process which was killed can have left; it asks one at a time


class Holding:
    """The connection that holds a line: as long as it is open, nobody else gets the line."""

    def __init__(self, connection: socket.socket, where: str) -> None:
        self.connection, self._where = connection, where

    @classmethod
    def asked(cls, path: str, hello: dict[str, object], where: str) -> Self:
        """Connect and say hello; raises BusError."""
        with wire_errors(where):
            return cls(connect(path, {"wire": "gpio", **hello}, TIMEOUT_S), where)

    @classmethod
    def resumed(cls, descriptor: int, where: str) -> Self:
        """Go on with the connection of the process before, without its unread answers."""
        connection = socket.socket(fileno=descriptor)
        with contextlib.suppress(OSError):  # BlockingIOError: nothing is left
            for _ in range(ANSWERS_MOST):
                connection.recv(STATUS.size + 1, socket.MSG_DONTWAIT)
        connection.settimeout(TIMEOUT_S)
        return cls(connection, where)

    def descriptor(self) -> int:
        """Return the descriptor that the hello is answered with; raises BusError."""
        try:
            with wire_errors(self._where):
                return received_descriptor(self.connection)
        except BusError:
            self.connection.close()
            raise

    def ask(self, packet: bytes) -> bytes:
        """Send a packet and return what follows the STATUS of its answer; raises BusError."""
        with wire_errors(self._where):
            self.connection.send(packet)
            answer = self.connection.recv(STATUS.size + 1)
            check_status(answer)
        return answer[STATUS.size :]

    def level(self) -> bool:
        """Return whether the wire is high."""
        level = self.ask(ASK)
        if level not in {LOW, HIGH}:
            raise BusError(f"{self._where}: {level!r} is no level; is this an instrument of ours?")
        return level == HIGH

    def release(self) -> None:
        """Give the line back, as `hang_up` does."""
        hang_up(self.connection)


class SimulatedLine(EventReader):
    """An EdgeLine whose descriptor came from a virtual instrument; read exactly as the kernel's.

    It is handed over together with the connection that holds it.
    """

    def __init__(self, asked: Asked, handover: Handover | None = None) -> None:
        if handover and handover.kept:
            descriptor, connection = handover.kept.descriptors
            self._holding = Holding.resumed(connection, asked.where)
        else:
            hello: dict[str, object] = {
                "offset": asked.offset,
                "edge": asked.edge or "both",
                "bias": asked.bias,
                "debounce_us": asked.debounce_us,
                "event_buffer": asked.event_buffer,
            }
            path = asked.path.removeprefix(SIMULATED)
            self._holding = Holding.asked(path, hello, asked.where)
            descriptor = self._holding.descriptor()
        super().__init__(descriptor, asked.where, handover)

    def level(self) -> bool:
        return self._holding.level()

    def close(self) -> None:
        super().close()
        if self._kept:
            self._holding.connection.close()
        else:
            self._holding.release()

    def _descriptors(self) -> tuple[int, ...]:
        return (*super()._descriptors(), self._holding.connection.fileno())


class SimulatedOutput:
    """An output line of a virtual instrument. Levels are those of the wire."""

    def __init__(
        self,
        path: str,
        offset: int,
        *,
        open_drain: bool,
        initial: bool,
    ) -> None:
        where = f"{SIMULATED}{path} line {offset}"
        hello: dict[str, object] = {
            "offset": offset,
            "direction": "output",
            "open_drain": open_drain,
            "initial": initial,
        }
        self._holding = Holding.asked(path, hello, where)
        try:
            with wire_errors(where):
                check_status(self._holding.connection.recv(STATUS.size))
        except BusError:
            self._holding.connection.close()
            raise

    def set(self, high: bool) -> None:  # noqa: FBT001 - what it is about
        self._holding.ask(HIGH if high else LOW)

    def level(self) -> bool:
        return self._holding.level()

    def close(self) -> None:
        self._holding.release()
