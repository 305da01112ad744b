"""Serial ports over pyserial: opened once a bus, shared by what stands on it, never blocking long.

pyserial opens, locks and configures the port; bytes are moved here, so that real ports and
virtual instruments take one way.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from edgenode.errors import BusError, BusTimeout
from edgenode.reading import SerialLine

SIMULATED: Final = "sim:"
ARRIVED_MAX: Final = 4096
WRITE_S: Final = 1.0
PARITY: Final = {"none": "N", "even": "E", "odd": "O"}


class Port:
    """A SerialPort over a descriptor; `release` gives back what the descriptor came from."""

    def __init__(self, descriptor: int, where: str, release: Callable[[], None]) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor, self._where, self._release = descriptor, where, release

    def fileno(self) -> int:
        return self._descriptor

    def arrived(self) -> bytes:
        with self._errors():
            try:
                data = os.read(self._descriptor, ARRIVED_MAX)
            except BlockingIOError:
                return b""
        if not data:
            raise BusError(f"{self._where}: the port ended; was it unplugged?")
        return data

    def receive(self, size: int, timeout_s: float) -> bytes:
        data = b""
        deadline = time.monotonic() + timeout_s
        while len(data) < size and self._ready(select.POLLIN, deadline):
            with self._errors():
                piece = os.read(self._descriptor, size - len(data))
            if not piece:
                raise BusError(f"{self._where}: the port ended; was it unplugged?")
            data += piece
        return data

    def write(self, data: bytes) -> None:
        deadline = time.monotonic() + WRITE_S
        while data:
            if not self._ready(select.POLLOUT, deadline):
                raise BusTimeout(f"{self._where}: takes no bytes; is its flow control on?")
            with self._errors():
                data = data[os.write(self._descriptor, data) :]

    def discard(self) -> None:
        while len(self.arrived()) == ARRIVED_MAX:
            pass

    def close(self) -> None:
        if self._descriptor >= 0:
            self._descriptor = -1
            self._release()

    def _ready(self, wanted: int, deadline: float) -> bool:
        """Wait for the descriptor; a hang-up counts as ready, and the next read tells of it."""
        poll = select.poll()
        poll.register(self._descriptor, wanted)
        left_ms = (deadline - time.monotonic()) * 1000
        return bool(poll.poll(max(0.0, left_ms)))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            raise
        except OSError as exc:
            raise BusError(f"{self._where}: {exc.strerror or exc}; was it unplugged?") from exc


class Lease:
    """One sensor's share of a port: closing it closes the port once nobody else has a share."""

    def __init__(self, bus: SerialBus, port: Port) -> None:
        self._bus: SerialBus | None = bus
        self.fileno, self.arrived, self.receive = port.fileno, port.arrived, port.receive
        self.write, self.discard = port.write, port.discard

    def close(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.give_back()


class SerialBus:
    """The port at `path`, open while somebody has a lease. Used by one thread."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._port: Port | None = None
        self._leases = 0

    def lease(self, line: SerialLine) -> Lease:
        """Open the port with the first lease; raises BusError with what to do next."""
        if self._port is None:
            self._port = open_port(self._path, line)
        self._leases += 1
        return Lease(self, self._port)

    def give_back(self) -> None:
        """End one lease, and with the last one close the port."""
        self._leases -= 1
        if not self._leases and self._port is not None:
            port, self._port = self._port, None
            port.close()


def open_port(path: str, line: SerialLine) -> Port:
    """Open the port at `path` for nobody else; raises BusError."""
    if path.startswith(SIMULATED):
        from edgenode.bus.simulated import SimulatedPort  # noqa: PLC0415 - only where simulated

        simulated = SimulatedPort(path.removeprefix(SIMULATED), line)
        return Port(simulated.descriptor, path, simulated.close)
    port = _opened(path, line)
    return Port(port.fileno(), path, lambda: _closed(port))


def _opened(path: str, line: SerialLine) -> Any:
    # Imported here: a node without serial ports does not pay for pyserial.
    import serial  # noqa: PLC0415 - see above

    try:
        return serial.Serial(
            path,
            line.baud,
            line.data_bits,
            PARITY[line.parity],
            line.stop_bits,
            timeout=0,
            exclusive=True,
        )
    except (serial.SerialException, OSError, ValueError) as exc:
        raise BusError(f"{path}: {_advice(exc)}") from exc


def _advice(exc: Exception) -> str:
    number = getattr(exc, "errno", None)
    if isinstance(exc, ValueError) and not isinstance(exc, OSError):
        return f"{exc}; the port cannot be set so"
    if number in {1, 13}:
        return "permission denied; add the user to the group dialout"
    if number in {11, 16}:
        return "another program has this port; stop it, or its getty"
    if number == 2:
        return "no such port; is it plugged in? ls -l /dev/serial/by-id"
    return str(exc)


def _closed(port: Any) -> None:
    with suppress(OSError):  # an unplugged port may refuse even this
        port.close()
