"""A power cut before any call that changes a file system: what was flushed survives, or all of it.

POSIX promises no more than that: bytes of a file after fsync of the file, a name after fsync of its
directory. The code runs once; at each call the two trees that a cut would leave are noted.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHANGES = ("open", "write", "replace", "rename", "unlink", "mkdir", "rmdir", "symlink")
MODES = ("chmod", "fchmod", "chown", "fchown")
TAKE_AWAY = ("replace", "rename", "unlink", "rmdir")
File = tuple[bytes, int]
Tree = dict[str, File | str | None]  # by path: bytes and mode, target of a link, or a directory
Entry = tuple[str, Any]  # kind; inode of a file or directory, target of a link
_open, _close = os.open, os.close


@dataclass
class Disk:
    """Watches what happens below `root`.

    `flushed` and `all` have the different trees that cuts would leave. Nothing is flushed really,
    which takes time and shows nothing. Without `honest` it forgets what was flushed: the control.
    """

    root: Path
    honest: bool = True
    calls: int = 0
    flushed: list[Tree] = field(default_factory=list)
    all: list[Tree] = field(default_factory=list)
    _names: dict[int, dict[str, Entry]] = field(default_factory=dict)  # by inode of a directory
    _files: dict[int, File] = field(default_factory=dict)  # by inode, as last flushed
    _held: list[int] = field(default_factory=list)  # so that no inode number is used twice

    def __post_init__(self) -> None:
        for path in [self.root, *self.root.rglob("*")]:
            if not path.is_symlink():
                self._flush(path)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Be the disk of what runs inside."""
        with pytest.MonkeyPatch.context() as patch:
            for name in (*CHANGES, *MODES):
                patch.setattr(os, name, self._counted(name, getattr(os, name)))
            patch.setattr(os, "fsync", self._fsync)
            yield
            self._cut()
        for descriptor in self._held:
            _close(descriptor)
        self._held.clear()

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            if not self._concerns(name, args):
                return real(*args, **more)
            self._cut()
            if name in TAKE_AWAY:
                self._hold(Path(args[1] if name in {"replace", "rename"} else args[0]))
            if name == "write":  # half of it may be all there is
                half = real(args[0], bytes(args[1])[: len(args[1]) // 2])
                self._cut()
                os.lseek(args[0], -half, os.SEEK_CUR)
            return real(*args, **more)

        return call

    def _concerns(self, name: str, args: tuple[Any, ...]) -> bool:
        """Whether a call changes something below the root."""
        if name == "open" and not args[1] & (os.O_CREAT | os.O_TRUNC):
            return False
        if isinstance(args[0], int):
            return _path(args[0]).is_relative_to(self.root)
        return Path(os.fspath(args[1] if name == "symlink" else args[0])).is_relative_to(self.root)

    def _hold(self, path: Path) -> None:
        if path.exists() and not path.is_symlink():
            self._held.append(_open(path, os.O_RDONLY))

    def _fsync(self, descriptor: int) -> None:
        path = _path(descriptor)
        if path.is_relative_to(self.root):
            self._cut()
            if self.honest:
                self._flush(path)

    def _flush(self, path: Path) -> None:
        inode = path.stat().st_ino
        if path.is_dir():
            self._names[inode] = {one.name: _entry(one) for one in path.iterdir()}
        else:
            self._files[inode] = _file(path)

    def _cut(self) -> None:
        self.calls += 1
        for kept, left in ((self.flushed, self._survivors()), (self.all, tree(self.root))):
            if left not in kept:
                kept.append(left)

    def _survivors(self) -> Tree:
        return dict(self._below(self.root.stat().st_ino, ""))

    def _below(self, inode: int, place: str) -> Iterator[tuple[str, File | str | None]]:
        for name, (kind, what) in sorted(self._names.get(inode, {}).items()):
            path = f"{place}/{name}".lstrip("/")
            if kind == "directory":
                yield path, None
                yield from self._below(what, path)
            else:
                yield path, what if kind == "link" else self._files.get(what, (b"", 0o600))


def _path(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def _entry(path: Path) -> Entry:
    if path.is_symlink():
        return "link", str(path.readlink())
    return "directory" if path.is_dir() else "file", path.stat().st_ino


def _file(path: Path) -> File:
    return path.read_bytes(), stat.S_IMODE(path.stat().st_mode)


def tree(root: Path) -> Tree:
    """Return all that is below a directory."""
    return {str(path.relative_to(root)): _shown(path) for path in root.rglob("*")}


def _shown(path: Path) -> File | str | None:
    if path.is_symlink():
        return str(path.readlink())
    return None if path.is_dir() else _file(path)


def restored(left: Tree, to: Path) -> Path:
    """Write a tree below a new directory, and return that."""
    to.mkdir()
    for path, what in sorted(left.items()):
        if what is None:
            (to / path).mkdir()
        elif isinstance(what, str):
            (to / path).symlink_to(what)
        else:
            (to / path).write_bytes(what[0])
            (to / path).chmod(what[1])
    return to


def unflushed(patch: pytest.MonkeyPatch) -> None:
    """Spare the flushes of a run that nobody cuts."""
    patch.setattr(os, "fsync", lambda _: None)
