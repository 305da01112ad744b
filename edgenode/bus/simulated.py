"""The node's half of simulated wires: smbus2's own messages and GPIO events over a Unix socket.

One connection is one device or line. Packets (SOCK_SEQPACKET, little-endian):

- hello, client to server: a JSON object, `{"wire": "i2c", "bus": …, "address": …}` or
  `{"wire": "gpio", "bus": …, "offset": …, "edge": …, "bias": …, "debounce_us": …,
  "event_buffer": …}` or `{"wire": "gpio", "bus": …, "offset": …, "direction": "output",
  "open_drain": …, "initial": …}` or `{"wire": "serial", "bus": …, "baud": …, "parity": …}`;
  answered by STATUS, for an input line or a port together with its descriptor (SCM_RIGHTS);
- port: another hello with another `baud` sets its speed, answered by STATUS;
- I2C transaction: HEADER per message (address, flags, length), each followed by its data if it
  writes; answered by STATUS (0 or an errno) and the bytes read;
- line: LOW or HIGH drives an output, answered by STATUS; ASK is answered by STATUS and LOW or
  HIGH. Levels are those of the wire: whoever wants active-low inverts by himself. A line is held
  until the node shuts down or closes the last copy of its connection; so is a port.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import errno
import json
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any, Final, Protocol

from edgenode.bus.wires import SIMULATED
from edgenode.errors import BusError, BusTimeout
from edgenode.reading import SerialLine

HEADER: Final = struct.Struct("<HHH")
STATUS: Final = struct.Struct("<i")
LOW, HIGH, ASK = b"\x00", b"\x01", b"?"
FLAG_READ: Final = 0x0001  # I2C_M_RD of linux/i2c.h
PACKET_MAX: Final = 65536
TIMEOUT_S: Final = 1.0  # the default of the kernel's I2C adapters


class Message(Protocol):
    """What is used of smbus2.i2c_msg, a ctypes structure."""

    addr: Any
    flags: Any
    len: Any
    buf: Any


def connect(path: str, hello: dict[str, object], timeout_s: float) -> socket.socket:
    """Connect to `SOCKET[#BUS]` and say hello; raises OSError."""
    where, _, bus = path.partition("#")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    try:
        connection.settimeout(timeout_s)
        connection.connect(where)
        connection.send(json.dumps({**hello, "bus": bus}).encode())
    except OSError:
        connection.close()
        raise
    return connection


def check_status(packet: bytes) -> None:
    """Raise the OSError that the first bytes of an answer stand for, if they do."""
    if len(packet) < STATUS.size:
        raise OSError(errno.ENODEV, "the virtual bus is gone")
    number: int = STATUS.unpack_from(packet)[0]
    if number:
        raise OSError(number, os.strerror(number))


class SimulatedI2C:
    """Stands where smbus2.SMBus stands: `i2c_rdwr` over a socket instead of an ioctl.

    A server that does not answer within `timeout_s` is ETIMEDOUT, as it is with a real adapter;
    the connection is then dropped, so that a late answer can never be taken for the next one.
    """

    def __init__(self, path: str, address: int, timeout_s: float = TIMEOUT_S) -> None:
        self._path, self._address, self._timeout_s = path, address, timeout_s
        self._connection: socket.socket | None = self._open()

    def i2c_rdwr(self, *i2c_msgs: Message) -> None:
        """Run the messages as one transaction; raises OSError as the ioctl I2C_RDWR does."""
        if self._connection is None:
            self._connection = self._open()
        request = b"".join(
            HEADER.pack(m.addr, m.flags, m.len)
            + (b"" if m.flags & FLAG_READ else ctypes.string_at(m.buf, m.len))
            for m in i2c_msgs
        )
        wanted = sum(m.len for m in i2c_msgs if m.flags & FLAG_READ)
        answer = self._exchange(self._connection, request)
        if len(answer) != STATUS.size + wanted:
            raise OSError(errno.EPROTO, f"{len(answer) - STATUS.size} of {wanted} bytes came")
        at = STATUS.size
        for message in i2c_msgs:
            if message.flags & FLAG_READ:
                ctypes.memmove(message.buf, answer[at : at + message.len], message.len)
                at += message.len

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> socket.socket:
        hello: dict[str, object] = {"wire": "i2c", "address": self._address}
        connection = connect(self._path, hello, self._timeout_s)
        try:
            check_status(connection.recv(STATUS.size))
        except OSError:
            connection.close()
            raise
        return connection

    def _exchange(self, connection: socket.socket, request: bytes) -> bytes:
        try:
            connection.send(request)
            answer = connection.recv(PACKET_MAX)
        except TimeoutError as exc:
            self.close()
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from exc
        except OSError:
            self.close()
            raise
        if not answer:
            self.close()
        check_status(answer)
        return answer


class SimulatedPort:
    """A stream of bytes to whatever virtual instruments stand on a serial bus."""

    def __init__(self, path: str, line: SerialLine, timeout_s: float = TIMEOUT_S) -> None:
        self._hello: dict[str, object] = {
            "wire": "serial",
            "bus": path.partition("#")[2],
            "baud": line.baud,
            "parity": line.parity,
        }
        with wire_errors(f"{SIMULATED}{path}"):
            self._connection = connect(path, self._hello, timeout_s)
            try:
                self.descriptor = received_descriptor(self._connection)
            except OSError:
                self._connection.close()
                raise

    def speed(self, baud: int) -> None:
        """Go on at another speed; raises OSError."""
        self._connection.send(json.dumps({**self._hello, "baud": baud}).encode())
        check_status(self._connection.recv(STATUS.size))

    def close(self) -> None:
        """Close the port, as `hang_up` does."""
        os.close(self.descriptor)
        hang_up(self._connection)


@contextlib.contextmanager
def wire_errors(where: str) -> Iterator[None]:
    """Raise every OSError of the block as the BusError that says where."""
    try:
        yield
    except TimeoutError as exc:
        raise BusTimeout(f"{where}: no answer in time") from exc
    except OSError as exc:
        raise BusError(f"{where}: {exc.strerror or exc}; is the instrument there?") from exc


def hang_up(connection: socket.socket) -> None:
    """End a connection and wait until the server has: closing a real wire is synchronous."""
    with contextlib.suppress(OSError):  # it is gone, or was closed before
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    connection.close()


def received_descriptor(connection: socket.socket) -> int:
    """Return the descriptor that comes with a STATUS; raises OSError where none does."""
    descriptors = array.array("i")
    packet, ancillary, _, _ = connection.recvmsg(
        STATUS.size, socket.CMSG_SPACE(descriptors.itemsize), socket.MSG_CMSG_CLOEXEC
    )
    check_status(packet)
    for _, _, data in ancillary:
        descriptors.frombytes(data[: descriptors.itemsize])
    if not descriptors:
        raise OSError(errno.EPROTO, "the answer carries no descriptor")
    return descriptors[0]
