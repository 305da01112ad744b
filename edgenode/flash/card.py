"""The open device: reads and writes that reach the card itself, and no page cache in between."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import stat
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from edgenode.errors import FlashError
from edgenode.flash.device import SECTOR, Device, device, sized
from edgenode.flash.machine import Machine
from edgenode.flash.refusal import Uses

MIB: Final = 1 << 20
CHUNK: Final = 4 * MIB  # the largest allocation unit of SDHC cards (AU_SIZE of the SD Status)
BLKRRPART: Final = 0x125F  # <linux/fs.h>: read the partition table again
BLKGETSIZE64: Final = 0x80081272  # <linux/fs.h>: size in bytes, as an 8-byte integer
_GONE: Final = {errno.EIO, errno.ENXIO, errno.ENODEV, errno.ENOMEDIUM}


class Card:
    """A device that is claimed (O_EXCL) and read and written directly (O_DIRECT), see open(2).

    Every failure is a FlashError that says where on the device it happened.
    """

    def __init__(self, name: str, fd: int, size: int) -> None:
        self.name = name
        self.size = size  # bytes
        self._fd = fd
        self._buffer = mmap.mmap(-1, CHUNK)  # aligned to a page, as O_DIRECT wants it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # EIO of a card that is gone, which has been told
            os.close(self._fd)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write up to 4 MiB; what is no whole number of sectors is filled up with zeros."""
        length = -(-len(data) // SECTOR) * SECTOR
        self._buffer[: len(data)] = data
        self._buffer[len(data) : length] = bytes(length - len(data))
        done = 0
        with memoryview(self._buffer) as view:
            while done < length:
                try:
                    done += self._write(offset + done, view[done:length])
                except OSError as exc:
                    raise self._failed(exc, "written", offset + done) from exc

    def read(self, offset: int, length: int) -> bytes:
        """Return up to 4 MiB of the device."""
        whole = -(-length // SECTOR) * SECTOR
        done = 0
        with memoryview(self._buffer) as view:
            while done < whole:
                try:
                    got = self._read(offset + done, view[done:whole])
                except OSError as exc:
                    raise self._failed(exc, "read", offset + done) from exc
                if not got:
                    raise FlashError(f"{self.name} ends at {sized(offset + done)}")
                done += got
        return self._buffer[:length]

    def flush(self) -> None:
        """Return when the device says that all is on its medium."""
        try:
            self._flush()
        except OSError as exc:
            raise self._failed(exc, "flushed", 0) from exc

    def reread_table(self) -> bool:
        """Let the kernel look for partitions; False where it will not, as on most loop devices."""
        try:
            fcntl.ioctl(self._fd, BLKRRPART)
        except OSError:
            return False
        return True

    def _write(self, offset: int, data: memoryview) -> int:
        return os.pwrite(self._fd, data, offset)

    def _read(self, offset: int, into: memoryview) -> int:
        return os.preadv(self._fd, [into], offset)

    def _flush(self) -> None:
        os.fsync(self._fd)

    def _failed(self, exc: OSError, what: str, offset: int) -> FlashError:
        """Return the error in words: where, and what it usually means."""
        where = f"{self.name} could not be {what} at MiB {offset // MIB}: {exc.strerror}"
        if exc.errno in _GONE:
            return FlashError(f"{where}; it was pulled out, or card or reader is broken")
        return FlashError(where)


def claimed(machine: Machine, wanted: Device) -> Card:
    """Open a device for ourselves alone.

    Raises FlashError where it may not be opened, where it is in use, also in ways that claim
    nothing, and where it is no longer the device, with the medium, that was asked for.
    """
    path = machine.node(wanted.name)
    try:
        fd = os.open(path, os.O_RDWR | os.O_EXCL | os.O_DIRECT | os.O_CLOEXEC)
    except OSError as exc:
        raise FlashError(_unopened(wanted.name, exc)) from exc
    try:
        _same(machine, wanted, fd)
    except BaseException:
        os.close(fd)
        raise
    return Card(wanted.name, fd, wanted.size)


def _same(machine: Machine, wanted: Device, fd: int) -> None:
    """Raise FlashError unless an open file is the unused device and medium that sysfs told of."""
    found = os.fstat(fd)
    number = f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
    if not stat.S_ISBLK(found.st_mode) or number != wanted.number:
        raise FlashError(f"/dev/{wanted.name} is not the device {wanted.number}: is /dev in order?")
    size = int.from_bytes(fcntl.ioctl(fd, BLKGETSIZE64, bytes(8)), "little")
    if size != wanted.size or device(machine, wanted.name) != wanted:
        raise FlashError(f"{wanted.name} is not what it was a moment ago: begin again")
    if uses := list(Uses(machine).of(wanted)):  # somebody may have thought long about the question
        raise FlashError("; ".join(uses))


def _unopened(name: str, exc: OSError) -> str:
    if exc.errno in {errno.EACCES, errno.EPERM}:
        return f"{name} may not be opened: run it with sudo"
    if exc.errno == errno.EBUSY:
        return f"{name} is in use: unmount what is on it, and close what works on it"
    if exc.errno == errno.EROFS:
        return f"{name} is read-only: look at the lock of the card or its adapter"
    return f"{name} cannot be opened: {exc.strerror}"
