"""What is asked of Linux about block devices: sysfs, /proc, and who holds a device.

All of it goes through one class with a root, so that a test can present any machine as a tree of
files. The open device itself, with its ioctls, is `edgenode.flash.card`.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

# Blanks in mountinfo and swaps: proc_pid_mountinfo(5).
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
_FLAGS: Final = re.compile(r"^flags:\s*([0-7]+)$", re.MULTILINE)  # proc_pid_fdinfo(5)


class Mount(NamedTuple):
    """A mounted file system, as one process sees it."""

    number: str  # of its device, "8:1"; "0:…" where the file system has none, such as btrfs
    point: str
    source: str
    process: str  # whose view this is: "self", or a pid


class Writer(NamedTuple):
    """A process that has a file of /dev open for writing."""

    device: str  # its name in sysfs, if it is a device
    process: str  # pid
    command: str


class Machine:
    """A machine's block devices; `root` is / but in tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def text(self, path: str) -> str:
        """Return a file without blanks around it; empty where there is none or it is closed."""
        try:
            return (self._root / path).read_text("utf-8", "replace").strip(" \n\0")
        except OSError:
            return ""

    def names(self, path: str) -> list[str]:
        """Return what a directory holds, sorted; nothing where there is none."""
        try:
            return sorted(entry.name for entry in (self._root / path).iterdir())
        except OSError:
            return []

    def place(self, path: str) -> str:
        """Return where a link of sysfs leads to, from the root on, such as "sys/devices/…"."""
        return os.path.relpath(os.path.realpath(self._root / path), os.path.realpath(self._root))

    def node(self, name: str) -> Path:
        """Return the path of a device, of which sysfs writes a slash as "!"."""
        return self._root / "dev" / name.replace("!", "/")

    def named(self, path: str) -> str:
        """Return the name in sysfs of what a path in /dev, or a link there, leads to; or empty."""
        if not path.startswith("/dev/"):
            return ""
        place = self.place(path.lstrip("/"))
        return place.removeprefix("dev/").replace("/", "!") if place.startswith("dev/") else ""

    def mounts(self) -> list[Mount]:
        """Return all mounts of this mount namespace, and those that only others have.

        What others see of a device that was met before is left out: a container has it elsewhere.
        """
        found: list[Mount] = []
        met: set[tuple[str, str]] = set()
        for process in ["self", *self._processes()]:
            mounts = list(_mounts(self.text(f"proc/{process}/mountinfo"), process))
            found += [one for one in mounts if (one.number, one.source) not in met]
            met.update((one.number, one.source) for one in mounts)
        return found

    def swaps(self) -> list[str]:
        """Return the paths of what is used as swap (proc_swaps(5))."""
        return [_plain(line.split()[0]) for line in self.text("proc/swaps").splitlines()[1:]]

    def writers(self) -> Iterator[Writer]:
        """Yield who writes into files of /dev, but for this process.

        Such as a virtual machine: it claims nothing, so that `held` does not see it.
        """
        for process in self._processes():
            at = f"proc/{process}"
            for number in self.names(f"{at}/fd") if process != str(os.getpid()) else ():
                name = self.named(self._link(f"{at}/fd/{number}"))
                flags = _FLAGS.search(self.text(f"{at}/fdinfo/{number}")) if name else None
                if flags and int(flags[1], 8) & os.O_ACCMODE:
                    yield Writer(name, process, self.text(f"{at}/comm"))

    def held(self, name: str) -> bool:
        """Return whether somebody has claimed a device, or a partition of it, for themselves.

        Opening a block device with O_EXCL fails with EBUSY then (open(2)): mounts, swap, LVM and
        the like claim so in the kernel. False also where this user may not even ask.
        """
        try:
            os.close(os.open(self.node(name), os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC))
        except OSError as exc:
            return exc.errno == errno.EBUSY
        return False

    def _processes(self) -> Iterator[str]:
        return filter(str.isdecimal, self.names("proc"))

    def _link(self, path: str) -> str:
        """Return what a link says; empty where there is none or it is closed to us."""
        try:
            return str((self._root / path).readlink())
        except OSError:
            return ""


def _mounts(text: str, process: str) -> Iterator[Mount]:
    """Yield the rows of a mountinfo: id, parent, number, root, point, options, … - type, source."""
    for line in text.splitlines():
        left, dash, right = line.partition(" - ")
        fields, source = left.split(), right.split()
        if dash and len(fields) >= 5 and len(source) >= 2:
            yield Mount(fields[2], _plain(fields[4]), _plain(source[1]), process)


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), text)
