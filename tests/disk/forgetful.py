"""A disk with a volatile cache, as a FUSE file system of two files: `disk` and `marks`.

`python -m tests.disk.forgetful BASE MOUNTPOINT LOG` serves BASE (an image, never written to) as
`disk` and writes into LOG, in the one order in which they happened, every write to `disk`, every
flush of it, and every line that a workload writes to `marks`. Nothing is ever forgotten here:
what a power cut would have left of the disk is worked out afterwards, from LOG (replay.py).
"""

from __future__ import annotations

import errno
import stat
import struct
import sys
from pathlib import Path
from typing import BinaryIO

import fuse

RECORD = struct.Struct("<cQI")  # kind, offset, length; then the data
WRITE, FLUSH, MARK = b"W", b"F", b"M"


class ForgetfulDisk(fuse.Operations):  # type: ignore[misc]
    """Single-threaded, so that a flush stands between exactly the writes it stood between."""

    use_ns = True

    def __init__(self, base: bytes, log: BinaryIO) -> None:
        self._disk = bytearray(base)
        self._log = log

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        sizes = {"/disk": len(self._disk), "/marks": 0}
        if path not in sizes:
            raise fuse.FuseOSError(errno.ENOENT)
        return {"st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": sizes[path]}

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", "disk", "marks"]

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._disk[offset : offset + size]) if path == "/disk" else b""

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        if path == "/disk":
            if offset + len(data) > len(self._disk):
                raise fuse.FuseOSError(errno.ENOSPC)
            self._disk[offset : offset + len(data)] = data
            self._note(WRITE, offset, data)
        else:
            self._note(MARK, 0, data)
        return len(data)

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        if path == "/disk":
            self._note(FLUSH, 0, b"")
        return 0

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        """Accept and ignore: a disk keeps its size."""

    def _note(self, kind: bytes, offset: int, data: bytes) -> None:
        self._log.write(RECORD.pack(kind, offset, len(data)) + data)


def main() -> None:
    base, mountpoint, log = sys.argv[1:]
    with Path(log).open("wb", buffering=0) as file:
        disk = ForgetfulDisk(Path(base).read_bytes(), file)
        fuse.FUSE(
            disk, mountpoint, foreground=True, nothreads=True, direct_io=True, big_writes=True
        )


if __name__ == "__main__":
    main()
