"""A card that cannot read some of its pages any more, as a FUSE file system of one file.

`python -m tests.disk.bad_sectors FILE MOUNTPOINT PAGE...` serves FILE, read-only, under its own
name; reading anything of a PAGE (1024 bytes, from 0) is an I/O error.
"""

from __future__ import annotations

import errno
import stat
import sys
from pathlib import Path

import fuse

PAGE = 1024


class BadSectors(fuse.Operations):  # type: ignore[misc]
    """A read that meets a bad page fails whole, as a block device does."""

    use_ns = True

    def __init__(self, file: Path, bad: frozenset[int]) -> None:
        self._path, self._data, self._bad = f"/{file.name}", file.read_bytes(), bad

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path != self._path:
            raise fuse.FuseOSError(errno.ENOENT)
        return {"st_mode": stat.S_IFREG | 0o444, "st_nlink": 1, "st_size": len(self._data)}

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        if self._bad.intersection(range(offset // PAGE, -(-(offset + size) // PAGE))):
            raise fuse.FuseOSError(errno.EIO)
        return self._data[offset : offset + size]


def main() -> None:
    file, mountpoint, *bad = sys.argv[1:]
    disk = BadSectors(Path(file), frozenset(map(int, bad)))
    fuse.FUSE(disk, mountpoint, foreground=True, nothreads=True, direct_io=True, ro=True)


if __name__ == "__main__":
    main()
