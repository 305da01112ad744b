"""A GPIO chip as a program sees it: the ioctls of GPIO v2 over pipes, 64 lines."""

from __future__ import annotations

import errno
import os
import select
import struct
import time
from dataclasses import dataclass
from pathlib import Path

GET_LINE, GET_VALUES, SET_VALUES = 0xC250B407, 0xC010B40E, 0xC010B40F
FLAGS, ATTRS, NUM_LINES, FD = 288, 320, 560, 588  # offsetof, linux/gpio.h
INPUT, OUTPUT, RISING, FALLING = 1 << 2, 1 << 3, 1 << 4, 1 << 5


@dataclass
class Held:
    """One request: the kernel's end of its queue, and what was asked."""

    offset: int
    request: bytes
    writer: int
    seqno: int = 0

    @property
    def flags(self) -> int:
        """The flags of the line."""
        found: int = struct.unpack_from("<Q", self.request, FLAGS)[0]
        return found


class FakeChip:
    """Stands where the kernel stands; `edge` and `levels` are the street."""

    def __init__(self, directory: Path) -> None:
        self.path = str(directory / "gpiochip0")
        Path(self.path).touch()
        self.levels: dict[int, int] = {}
        self.held: dict[int, Held] = {}  # by offset, as long as somebody reads
        self.readers: dict[int, int] = {}  # inode of the descriptor handed out -> offset
        self.requests: list[bytes] = []
        self.refusal: int | None = None

    def edge(self, offset: int, high: int, *, stamp_ns: int | None = None) -> None:
        """The wire goes high or low."""
        self.levels[offset] = high
        held = self.held.get(offset)
        if held is None or not held.flags & (RISING if high else FALLING):
            return
        held.seqno += 1
        stamp_ns = time.monotonic_ns() if stamp_ns is None else stamp_ns
        event = struct.pack("<QIIII24x", stamp_ns, 1 if high else 2, offset, held.seqno, held.seqno)
        os.write(held.writer, event)

    def unread(self, offset: int, count: int) -> None:
        """So many edges fall out of the queue before anybody reads them."""
        self.held[offset].seqno += count

    def vanish(self) -> None:
        """The chip is unplugged: every line ends."""
        self.refusal = errno.ENODEV
        for held in self.held.values():
            os.close(held.writer)
        self.held.clear()

    def ioctl(self, descriptor: int, code: int, argument: bytearray) -> int:
        """Answer as the kernel does."""
        if self.refusal:
            raise OSError(self.refusal, os.strerror(self.refusal))
        if code == GET_LINE:
            self._request(argument)
            return 0
        offset = self.readers[os.fstat(descriptor).st_ino]
        bits, mask = struct.unpack("<QQ", argument)
        assert mask == 1
        if code == SET_VALUES:
            held = self.held.get(offset)
            if held is None:  # unplugged while it was asked
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            assert held.flags & OUTPUT
            self.levels[offset] = bits
        else:
            assert code == GET_VALUES
            struct.pack_into("<Q", argument, 0, self.levels.get(offset, 0))
        return 0

    def _request(self, argument: bytearray) -> None:
        request = bytes(argument)
        (offset,) = struct.unpack_from("<I", request)
        assert struct.unpack_from("<I", request, NUM_LINES) == (1,)
        if offset in self.held and not self._released(offset):
            raise OSError(errno.EBUSY, "busy")
        if offset >= 64:
            raise OSError(errno.EINVAL, "no such line")
        reader, writer = os.pipe()
        self.held[offset] = Held(offset, request, writer)
        self.readers[os.fstat(reader).st_ino] = offset
        if self.held[offset].flags & OUTPUT:
            (self.levels[offset],) = struct.unpack_from("<Q", request, ATTRS + 8)
        self.requests.append(request)
        struct.pack_into("<i", argument, FD, reader)

    def _released(self, offset: int) -> bool:
        """Whether whoever had the line has closed it everywhere."""
        released = _hung_up(self.held[offset].writer)
        if released:
            os.close(self.held.pop(offset).writer)
        return released


def _hung_up(writer: int) -> bool:
    poll = select.poll()
    poll.register(writer, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))
