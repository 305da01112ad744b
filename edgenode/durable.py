"""Files that are whole after a power cut, the old ones or the new ones, in the order written.

Each change is flushed, and so is the directory that names it (fsync(2): "calling fsync() does not
necessarily ensure that the entry in the directory … has also reached disk"). Who was cut off runs
again: what is there already is not written a second time.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

NEW: Final = ".new"  # how a name ends that is about to take the place of another
DOOMED: Final = ".edgenode-wipe"  # a file that is being overwritten, and then removed
CHUNK: Final = 65_536
ZEROS: Final = 1 << 20  # bytes that a wipe overwrites: more than any secret here is long
NOFOLLOW: Final = os.O_NOFOLLOW | os.O_CLOEXEC


class Owner(NamedTuple):
    """Numbers of user and group, as fchown(2) takes them."""

    user: int
    group: int


def write(path: Path, data: bytes, mode: int | None, owns: Owner | None) -> bool:
    """Give a file these bytes, mode and owner; False where it has them. Raises OSError.

    FAT has neither mode nor owner: both are None there.
    """
    if _is(path, data, mode, owns):
        return False
    fresh = path.with_name(f".{path.name}{NEW}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NOFOLLOW, 0o600)
    try:
        if owns is not None:
            os.fchown(descriptor, *owns)
        if mode is not None:
            os.fchmod(descriptor, mode)
        _all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(fresh, path)  # noqa: PTH105 - the calls of this module are those of the kernel
    if mode is None:
        # A FAT has length and place of a file in the entry that names it, and Linux fills those of
        # the new entry in with the file, not with the directory (fs/fat/namei_vfat.c).
        sync(path)
    sync(path.parent)
    return True


def read(path: Path, most: int) -> bytes | None:
    """Return a file, of which `most` bytes and one; None where there is none. Raises OSError.

    No link is followed and no pipe waited for: who has put it there may be anybody.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no file", str(path))
        return file.read(most + 1)


def reserve(directory: Path, size: int) -> None:
    """Raise OSError where a file of `size` bytes does not fit (posix_fallocate(3))."""
    path = directory / f".room{NEW}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NOFOLLOW, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)
        remove(path)


def directory(path: Path, mode: int, owns: Owner | None) -> None:
    """Have a directory of this mode and owner; the one above it must be there."""
    with suppress(FileExistsError):
        os.mkdir(path, mode)  # noqa: PTH102 - the same
    found = path.stat()
    if owns is not None and (found.st_uid, found.st_gid) != owns:
        os.chown(path, *owns)
    if stat.S_IMODE(found.st_mode) != mode:
        os.chmod(path, mode)  # noqa: PTH101 - the same
    sync(path)
    sync(path.parent)


def link(path: Path, target: str) -> bool:
    """Let a symbolic link lead to `target`, in one step; False where it does."""
    if path.is_symlink() and str(path.readlink()) == target:
        return False
    fresh = path.with_name(f".{path.name}{NEW}")
    fresh.unlink(missing_ok=True)
    os.symlink(target, fresh)  # noqa: PTH211 - the same
    os.replace(fresh, path)  # noqa: PTH105 - the same
    sync(path.parent)
    return True


def rename(path: Path, to: Path) -> None:
    """Call a file or directory otherwise, within its directory."""
    os.rename(path, to)  # noqa: PTH104 - the same
    sync(path.parent)


def remove(path: Path) -> bool:
    """Remove a file; False where there is none."""
    try:
        os.unlink(path)  # noqa: PTH108 - the same
    except FileNotFoundError:
        return False
    sync(path.parent)
    return True


def wipe(path: Path) -> None:
    """Overwrite a file with zeros and remove it, if it is there and no link, pipe or device.

    It is renamed first: a cut meanwhile leaves no half of it under its name. On flash the card's
    own controller may keep older copies of the sectors; nothing that runs here reaches them.
    """
    finish_wipe(path.parent)
    if path.is_file() and not path.is_symlink():
        rename(path, path.with_name(DOOMED))
        finish_wipe(path.parent)


def finish_wipe(directory: Path) -> None:
    """Wipe what a wipe was cut off from, if there is anything."""
    doomed = directory / DOOMED
    try:
        descriptor = os.open(doomed, os.O_WRONLY | os.O_NONBLOCK | NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        _all(descriptor, bytes(min(os.fstat(descriptor).st_size, ZEROS)))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    remove(doomed)


def sync(path: Path) -> None:
    """Flush a file, or a directory, so that its names survive."""
    descriptor = os.open(path, os.O_RDONLY | NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is(path: Path, data: bytes, mode: int | None, owns: Owner | None) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | NOFOLLOW)
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        return (
            stat.S_ISREG(found.st_mode)
            and found.st_size == len(data)
            and (mode is None or stat.S_IMODE(found.st_mode) == mode)
            and (owns is None or (found.st_uid, found.st_gid) == owns)
            and file.read() == data
        )


def _all(descriptor: int, data: bytes) -> None:
    for begin in range(0, len(data), CHUNK):
        rest = memoryview(data)[begin : begin + CHUNK]
        while rest:
            rest = rest[os.write(descriptor, rest) :]
