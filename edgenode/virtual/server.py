"""The server half of simulated wires: one thread, every instrument, one socket to command them."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from edgenode.bus.simulated import HEADER, PACKET_MAX, STATUS
from edgenode.virtual.bme280 import READ, Message, VirtualBME280
from edgenode.virtual.conduct import Hello, Refused, Silent, boot_ns
from edgenode.virtual.control import LINE_MAX, command, send_command
from edgenode.virtual.pulse import VirtualPulse
from edgenode.virtual.scenario import Bme280Spec, Scenario, Spec, place
from edgenode.virtual.truth import Truth

__all__ = ["Server", "send_command"]

Instrument = VirtualBME280 | VirtualPulse
WAIT_MOST_S: Final = 1.0


class Server:
    """Instruments of a scenario behind a Unix socket, `sim:SOCKET#BUS` for the node.

    Opens its sockets when made; `run` serves until `stop`, a context manager closes.
    Raises OSError where a socket or the log cannot be opened.
    """

    def __init__(
        self,
        scenario: Scenario,
        path: Path,
        truth: Path,
        control: Path | None = None,
        now_ns: Callable[[], int] = boot_ns,
    ) -> None:
        self._now_ns = now_ns
        self._start_ns = now_ns()
        self._truth = Truth(truth)
        self.instruments = {spec.sensor: self._made(spec) for spec in scenario.instrument}
        self._places = {place(spec): spec.sensor for spec in scenario.instrument}
        self._lines = [i for i in self.instruments.values() if isinstance(i, VirtualPulse)]
        self._plan = sorted(scenario.misbehaviour, key=lambda event: -event.at_s)
        self._selector = selectors.DefaultSelector()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._stopping = False
        self._paths = [path, *([control] if control else [])]
        self._listen(path, socket.SOCK_SEQPACKET, self._hello)
        if control:
            self._listen(control, socket.SOCK_STREAM, self._commands)

    def run(self) -> None:
        """Serve until `stop` is called."""
        while not self._stopping:
            self._serve_once()

    def stop(self) -> None:
        """End `run`; any thread or signal handler may call it."""
        self._stopping = True
        os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Close every connection and remove the sockets."""
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()
        os.close(self._wake)
        for line in self._lines:
            line.close()
        for path in self._paths:
            path.unlink(missing_ok=True)
        self._truth.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def _made(self, spec: Spec) -> Instrument:
        if isinstance(spec, Bme280Spec):
            return VirtualBME280(spec, self._truth, self._start_ns)
        return VirtualPulse(spec, self._truth, self._start_ns)

    def _serve_once(self) -> None:
        for key, _ in self._selector.select(self._until_next_s()):
            if key.data is None:
                os.eventfd_read(self._wake)
            else:
                key.data(key.fileobj)
        now_ns = self._now_ns()
        while self._plan and self._start_ns + self._plan[-1].at_s * 1e9 <= now_ns:
            event = self._plan.pop()
            self.instruments[event.sensor].act(event.do, now_ns)
        for line in self._lines:
            line.advance(now_ns)

    def _until_next_s(self) -> float:
        times = [line.next_ns() for line in self._lines]
        if self._plan:
            times.append(self._start_ns + int(self._plan[-1].at_s * 1e9))
        wait_s = (min(times) - self._now_ns()) / 1e9 if times else WAIT_MOST_S
        return min(max(wait_s, 0.0), WAIT_MOST_S)

    def _listen(
        self, path: Path, kind: socket.SocketKind, greet: Callable[[socket.socket], None]
    ) -> None:
        listener = socket.socket(socket.AF_UNIX, kind | socket.SOCK_CLOEXEC)
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        listener.listen(64)
        listener.setblocking(False)

        def accept(_: socket.socket) -> None:
            connection, _address = listener.accept()
            connection.setblocking(False)
            self._selector.register(connection, selectors.EVENT_READ, greet)

        self._selector.register(listener, selectors.EVENT_READ, accept)

    def _packet(self, connection: socket.socket, size: int) -> bytes:
        """Return what arrived; an empty answer means that the other side is gone."""
        try:
            data = connection.recv(size)
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
        return data

    def _drop(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        connection.close()

    def _hello(self, connection: socket.socket) -> None:
        data = self._packet(connection, PACKET_MAX)
        if not data:
            return
        try:
            hello = msgspec.json.decode(data, type=Hello)
        except msgspec.DecodeError:
            self._drop(connection)
            return
        at = hello.address if hello.wire == "i2c" else hello.offset
        instrument = self.instruments.get(self._places.get((hello.bus, at), ""))
        if hello.wire == "i2c":
            chip = instrument if isinstance(instrument, VirtualBME280) else None
            self._open_i2c(connection, chip)
        else:
            line = instrument if isinstance(instrument, VirtualPulse) else None
            self._open_line(connection, line, hello)

    def _open_i2c(self, connection: socket.socket, chip: VirtualBME280 | None) -> None:
        """Open an address, which never fails on a real bus: nobody there is an ENXIO later."""

        def transaction(connection: socket.socket) -> None:
            request = self._packet(connection, PACKET_MAX)
            if request:
                self._reply(connection, lambda: _transacted(chip, request, self._now_ns()))

        self._selector.modify(connection, selectors.EVENT_READ, transaction)
        self._reply(connection, lambda: b"")

    def _reply(self, connection: socket.socket, answer: Callable[[], bytes]) -> None:
        try:
            packet = STATUS.pack(0) + answer()
        except Refused as refusal:
            packet = STATUS.pack(refusal.number)
        except Silent:
            return
        with contextlib.suppress(OSError):  # who no longer listens is dropped when it closes
            connection.send(packet)

    def _open_line(
        self, connection: socket.socket, line: VirtualPulse | None, hello: Hello
    ) -> None:
        if line is None:
            connection.send(STATUS.pack(errno.ENODEV))
            return
        line.advance(self._now_ns())  # what happened before the line was open is not its business
        try:
            watching = line.request(hello)
        except Refused as refusal:
            connection.send(STATUS.pack(refusal.number))
            return
        except Silent:
            return

        def ended(connection: socket.socket) -> None:
            line.release(watching)
            self._drop(connection)

        self._selector.modify(connection, selectors.EVENT_READ, ended)
        with contextlib.suppress(OSError):  # who has gone meanwhile is dropped as ended
            socket.send_fds(connection, [STATUS.pack(0)], [watching.reader])

    def _commands(self, connection: socket.socket) -> None:
        data = self._packet(connection, LINE_MAX)
        for line in data.splitlines():
            connection.send(command(self.instruments, line, self._now_ns()))


def _transacted(chip: VirtualBME280 | None, request: bytes, now_ns: int) -> bytes:
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
