"""Serial ports over pyserial: opened once a bus, shared by what stands on it, never blocking long.

pyserial opens, locks and configures the port; bytes are moved here, so that real ports and
virtual instruments take one way. A port that fails is closed at once, whoever still holds it: as
long as a descriptor is open, the kernel does not give the name of an unplugged adapter again.
"""

from __future__ import annotations

import errno
import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from edgenode.bus.wires import SIMULATED
from edgenode.errors import BusError, BusTimeout
from edgenode.reading import SerialLine

ARRIVED_MAX: Final = 4096
WRITE_S: Final = 1.0
ADVICE: Final = {
    errno.EPERM: "permission denied; add the user to the group dialout",
    errno.EACCES: "permission denied; add the user to the group dialout",
    errno.EAGAIN: "another program has this port; stop it, or its getty",
    errno.EBUSY: "another program has this port; stop it, or its getty",
    errno.ENOENT: "no such port; is it plugged in? ls -l /dev/serial/by-id",
    errno.EIO: "the adapter does not answer; unplug it and plug it in again",
    errno.ENXIO: "the adapter does not answer; unplug it and plug it in again",
    errno.ENODEV: "the adapter does not answer; unplug it and plug it in again",
    errno.ENOTTY: "this is no serial port; name one of those in /dev/serial/by-id",
    errno.EISDIR: "this is no serial port; name one of those in /dev/serial/by-id",
}


class Port:
    """An open port; `release` gives back what the descriptor came from, `retune` sets its speed.

    Every method raises BusError once one has failed. Used by the thread of one bus.
    """

    def __init__(
        self,
        descriptor: int,
        where: str,
        line: SerialLine,
        release: Callable[[], None],
        retune: Callable[[int], None],
    ) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor, self._where = descriptor, where
        self._release, self._retune = release, retune
        self.line = line
        self.leases = 0

    @property
    def alive(self) -> bool:
        """Whether it is open: it neither failed nor was closed."""
        return self._descriptor >= 0

    def fileno(self) -> int:
        """Return the descriptor; -1 once the port is closed."""
        return self._descriptor

    def arrived(self) -> bytes:
        """Return what has arrived, without waiting."""
        with self._failing() as descriptor:
            try:
                return self._some(descriptor, ARRIVED_MAX)
            except BlockingIOError:
                return b""

    def receive(self, size: int, timeout_s: float) -> bytes:
        """Return `size` bytes, or what came of them within `timeout_s`."""
        data = b""
        deadline = time.monotonic() + timeout_s
        with self._failing() as descriptor:
            while len(data) < size and _ready(descriptor, select.POLLIN, deadline):
                with suppress(BlockingIOError):  # somebody else took it
                    data += self._some(descriptor, size - len(data))
        return data

    def write(self, data: bytes) -> None:
        """Send all of `data`; raises BusTimeout where it is not taken within a second."""
        deadline = time.monotonic() + WRITE_S
        with self._failing() as descriptor:
            while data:
                if not _ready(descriptor, select.POLLOUT, deadline):
                    raise BusTimeout(f"{self._where}: takes no bytes; is its flow control on?")
                with suppress(BlockingIOError):
                    data = data[os.write(descriptor, data) :]

    def discard(self) -> None:
        """Forget what has arrived."""
        while len(self.arrived()) == ARRIVED_MAX:
            pass

    def speed(self, baud: int) -> None:
        """Go on at another speed once all is sent; `line` still says how it was opened."""
        with self._failing():
            self._retune(baud)

    def close(self) -> None:
        """Give the descriptor back; safe to call twice."""
        if self.alive:
            self._descriptor = -1
            self._release()

    def _some(self, descriptor: int, most: int) -> bytes:
        data = os.read(descriptor, most)
        if not data:
            raise BusError(f"{self._where}: the port ended; was it unplugged?")
        return data

    @contextmanager
    def _failing(self) -> Iterator[int]:
        """Lend the descriptor; whatever fails with it ends the port."""
        if not self.alive:
            raise BusError(f"{self._where}: the port was given up after a fault; open it anew")
        try:
            yield self._descriptor
        except BusError:
            self.close()
            raise
        except OSError as exc:
            self.close()
            raise BusError(f"{self._where}: {exc.strerror or exc}; was it unplugged?") from exc


class Lease:
    """A SerialPort: one sensor's share of a port, which is closed with the last of them."""

    def __init__(self, port: Port, where: str) -> None:
        self._port: Port | None = port
        self._where = where
        self.line = port.line
        port.leases += 1

    def fileno(self) -> int:
        """Return the descriptor; -1 once the port is closed."""
        return self._port.fileno() if self._port else -1

    def arrived(self) -> bytes:
        """Return what has arrived, without waiting."""
        return self._held().arrived()

    def receive(self, size: int, timeout_s: float) -> bytes:
        """Return `size` bytes, or what came of them within `timeout_s`."""
        return self._held().receive(size, timeout_s)

    def write(self, data: bytes) -> None:
        """Send all of `data`; raises BusTimeout where it is not taken within a second."""
        self._held().write(data)

    def discard(self) -> None:
        """Forget what has arrived."""
        self._held().discard()

    def speed(self, baud: int) -> None:
        """Go on at another speed once all is sent; for a part that has its port to itself."""
        self._held().speed(baud)

    def close(self) -> None:
        """Give the share back; safe to call twice."""
        port, self._port = self._port, None
        if port is not None:
            port.leases -= 1
            if not port.leases:
                port.close()

    def _held(self) -> Port:
        if self._port is None:
            raise BusError(f"{self._where}: this share of the port was closed; open the sensor")
        return self._port


class SerialBus:
    """The port at `path`, open while somebody has a lease. Used by one thread."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._port: Port | None = None

    def lease(self, line: SerialLine) -> Lease:
        """Return a share of the port, which is opened where it is not, or has failed.

        Raises BusError with what to do next; also where the port is open at another speed.
        """
        if self._port is None or not self._port.alive:
            self._port = open_port(self._path, line)
        if self._port.line != line:
            raise BusError(
                f"{self._path}: is open at {self._port.line} and this sensor wants "
                f"{line}; set baud, parity and stop_bits in [[bus]], for all that stand "
                "on it"
            )
        return Lease(self._port, self._path)


def open_port(path: str, line: SerialLine) -> Port:
    """Open the port at `path` for nobody else; raises BusError."""
    if path.startswith(SIMULATED):
        from edgenode.bus.simulated import SimulatedPort  # noqa: PLC0415 - only where simulated

        simulated = SimulatedPort(path.removeprefix(SIMULATED), line)
        return Port(simulated.descriptor, path, line, simulated.close, simulated.speed)
    port = _opened(path, line)
    return Port(port.fileno(), path, line, lambda: _closed(port), lambda baud: _retuned(port, baud))


def _opened(path: str, line: SerialLine) -> Any:
    # Imported here: a node without serial ports does not pay for pyserial.
    import serial  # noqa: PLC0415 - see above

    try:
        return serial.Serial(
            path,
            line.baud,
            line.data_bits,
            line.parity[0].upper(),
            line.stop_bits,
            timeout=0,
            inter_byte_timeout=0,  # VMIN 1: else a quiet port reads as one that has ended
            exclusive=True,
        )
    except (serial.SerialException, OSError, ValueError) as exc:
        raise BusError(f"{path}: {_advice(exc)}") from exc


def _advice(exc: Exception) -> str:
    if isinstance(exc, ValueError) and not isinstance(exc, OSError):
        return f"{exc}; the port cannot be set so"
    number = _number(exc)
    if number in ADVICE:
        return ADVICE[number]
    return f"{os.strerror(number) if number else exc}; see dmesg"


def _number(exc: BaseException) -> int:
    """Return the kernel's error number; pyserial hides some behind an exception of its own."""
    number: int | None = getattr(exc, "errno", None)
    if number is None and exc.__context__ is not None:
        kept = exc.__context__.args[0] if exc.__context__.args else 0
        return kept if isinstance(kept, int) else 0
    return number or 0


def _retuned(port: Any, baud: int) -> None:
    """Send what waits, then set the speed; raises OSError."""
    import termios  # noqa: PLC0415 - pyserial has it already

    try:
        port.flush()
        port.baudrate = baud
    except (termios.error, ValueError) as exc:
        raise OSError(errno.EINVAL, f"cannot be set to {baud} baud") from exc


def _closed(port: Any) -> None:
    """Close it; what was not sent is dropped first, or the kernel waits for it for 30 s."""
    import termios  # noqa: PLC0415 - pyserial has it already

    with suppress(OSError, termios.error):  # an unplugged port may refuse even this
        port.reset_output_buffer()
    with suppress(OSError):
        port.close()


def _ready(descriptor: int, wanted: int, deadline: float) -> bool:
    """Wait for the descriptor; a hang-up counts as ready, and what comes next tells of it."""
    poll = select.poll()
    poll.register(descriptor, wanted)
    left_ms = (deadline - time.monotonic()) * 1000
    return bool(poll.poll(max(0.0, left_ms)))
