"""The server's side of I2C addresses and GPIO lines: what a connection may ask, and its answer."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from edgenode.bus.simulated import ASK, HEADER, HIGH, LOW, PACKET_MAX, STATUS
from edgenode.virtual.conduct import Refused, Silent
from edgenode.virtual.kinds import (
    READ,
    Action,
    Hello,
    I2CInstrument,
    LineInstrument,
    Message,
    OutputInstrument,
)
from edgenode.virtual.loop import Loop

Place = tuple[str, int]  # bus, and address or line


class Door(Protocol):
    """Where the connections of one kind of wire come in."""

    def open(self, connection: socket.socket, hello: Hello) -> None:
        """Answer the hello of a connection, and serve it from now on."""
        ...

    def acted(self, place: Place, action: Action) -> None:
        """Take note that what stands at this place behaves so from here on."""
        ...

    def next_ns(self) -> int | None:
        """Return when something happens by itself; None for never."""
        ...

    def advance(self, now_ns: int) -> None:
        """Let everything happen up to now."""
        ...

    def close(self) -> None:
        """Give back every descriptor."""
        ...


class Quiet:
    """A Door behind which nothing happens by itself."""

    def acted(self, place: Place, action: Action) -> None:
        """Nothing to do: the instrument knows."""

    def next_ns(self) -> int | None:
        return None

    def advance(self, now_ns: int) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing is open."""


class I2CDoor(Quiet):
    """Addresses on I2C buses. Opening one never fails: nobody there is an ENXIO later."""

    def __init__(
        self, loop: Loop, chips: Mapping[Place, I2CInstrument], now_ns: Callable[[], int]
    ) -> None:
        self._loop, self._chips, self._now_ns = loop, chips, now_ns

    def open(self, connection: socket.socket, hello: Hello) -> None:
        chip = self._chips.get((hello.bus, hello.address))

        def transaction(connection: socket.socket) -> None:
            request = self._loop.packet(connection, PACKET_MAX)
            if request:
                reply(connection, lambda: _transacted(chip, request, self._now_ns()))
            else:
                self._loop.drop(connection)

        self._loop.hand_over(connection, transaction)
        reply(connection, lambda: b"")


class LineDoor(Quiet):
    """Lines that the node watches. A line ends with its connection, not with a descriptor."""

    def __init__(
        self, loop: Loop, lines: Mapping[Place, LineInstrument], now_ns: Callable[[], int]
    ) -> None:
        self._loop, self._lines, self._now_ns = loop, lines, now_ns

    def open(self, connection: socket.socket, hello: Hello) -> None:
        line = self._lines.get((hello.bus, hello.offset))
        if line is None:
            refuse(connection, errno.ENODEV)
            return
        line.advance(self._now_ns())  # what happened before the line was open is not its business
        try:
            watching = line.request(hello)
        except Refused as refusal:
            refuse(connection, refusal.number)
            return
        except Silent:
            return
        self._loop.hand_over(connection, lambda c: self._asked(c, line, watching))
        send_descriptor(connection, watching.reader)

    def _asked(self, connection: socket.socket, line: LineInstrument, watching: Any) -> None:
        if self._loop.packet(connection, PACKET_MAX):
            line.advance(self._now_ns())
            reply(connection, lambda: HIGH if line.level() else LOW)
        else:
            line.release(watching)
            self._loop.drop(connection)

    def next_ns(self) -> int | None:
        return min((line.next_ns() for line in self._lines.values()), default=None)

    def advance(self, now_ns: int) -> None:
        for line in self._lines.values():
            line.advance(now_ns)

    def close(self) -> None:
        for line in self._lines.values():
            line.close()


class OutputDoor(Quiet):
    """Lines that the node drives, each by one connection at a time."""

    def __init__(
        self, loop: Loop, outputs: Mapping[Place, OutputInstrument], now_ns: Callable[[], int]
    ) -> None:
        self._loop, self._outputs, self._now_ns = loop, outputs, now_ns
        self._driven: set[Place] = set()

    def open(self, connection: socket.socket, hello: Hello) -> None:
        reply(connection, lambda: self._taken(connection, hello))

    def _taken(self, connection: socket.socket, hello: Hello) -> bytes:
        place = hello.bus, hello.offset
        output = self._outputs.get(place)
        if output is None or place in self._driven:
            raise Refused(errno.EBUSY if output else errno.ENODEV)
        output.drive(hello.initial, self._now_ns())
        self._driven.add(place)
        self._loop.hand_over(connection, lambda c: self._driving(c, place, output))
        return b""

    def _driving(self, connection: socket.socket, place: Place, output: OutputInstrument) -> None:
        packet = self._loop.packet(connection, PACKET_MAX)
        if packet:
            reply(connection, lambda: _switched(output, packet, self._now_ns()))
            return
        self._driven.discard(place)
        output.release(self._now_ns())
        self._loop.drop(connection)


def reply(connection: socket.socket, answer: Callable[[], bytes]) -> None:
    """Send what `answer` returns, or the number with which it refuses, or nothing if silent."""
    try:
        packet = STATUS.pack(0) + answer()
    except Refused as refusal:
        packet = STATUS.pack(refusal.number)
    except Silent:
        return
    with contextlib.suppress(OSError):  # who no longer listens is dropped when it closes
        connection.send(packet)


def refuse(connection: socket.socket, number: int) -> None:
    """Answer a hello with an error number of the kernel."""
    with contextlib.suppress(OSError):  # the same
        connection.send(STATUS.pack(number))


def send_descriptor(connection: socket.socket, descriptor: int) -> None:
    """Answer a hello with the descriptor that it asked for."""
    with contextlib.suppress(OSError):  # the same
        socket.send_fds(connection, [STATUS.pack(0)], [descriptor])


def _switched(output: OutputInstrument, packet: bytes, now_ns: int) -> bytes:
    if packet == ASK:
        return HIGH if output.level() else LOW
    if packet not in {LOW, HIGH}:
        raise Refused(errno.EINVAL)
    output.drive(packet == HIGH, now_ns)
    return b""


def _transacted(chip: I2CInstrument | None, request: bytes, now_ns: int) -> bytes:
    if chip is None:
        raise Refused(errno.ENXIO)
    messages, at = [], 0
    while at < len(request):
        _, flags, length = HEADER.unpack_from(request, at)
        at += HEADER.size
        data = b"" if flags & READ else request[at : at + length]
        at += len(data)
        messages.append(Message(flags, length, data))
    return chip.transact(messages, now_ns)
