"""File systems for the tests of this room: images, loop devices, mounts, all undone at the end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

READY_S = 10.0


def run(*command: str | Path) -> str:
    """Run a system command; a failure shows what it said."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout.strip()


def make_ext4(path: Path, size_bytes: int) -> None:
    """Create an image with an ext4 as a card has it: 4 KiB blocks and a journal."""
    with path.open("wb") as file:
        file.truncate(size_bytes)
    options = "lazy_itable_init=0,lazy_journal_init=0,nodiscard"
    run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-E", options, path)


@contextmanager
def loop_device(path: Path) -> Iterator[str]:
    """Attach a loop device to a file; yields /dev/loopN."""
    device = run("losetup", "--find", "--show", path)
    try:
        yield device
    finally:
        run("losetup", "--detach", device)


@contextmanager
def mounted(source: Path | str, where: Path, *options: str) -> Iterator[Path]:
    """Mount a device or an image; "loop" among the options attaches one by itself."""
    where.mkdir(exist_ok=True)
    run("mount", "-t", "ext4", "-o", ",".join(("noatime", *options)), source, where)
    try:
        yield where
    finally:
        run("umount", where)


@contextmanager
def tmpfs(where: Path, size_bytes: int) -> Iterator[Path]:
    """Mount a memory file system that is really full at `size_bytes`."""
    where.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "none", where)
    try:
        yield where
    finally:
        run("umount", where)


@contextmanager
def forgetful_disk(base: Path, where: Path, log: Path) -> Iterator[Path]:
    """Serve a copy of `base` as `where`/disk and log all that happens to it."""
    where.mkdir()
    server = subprocess.Popen([sys.executable, "-m", "tests.disk.forgetful", base, where, log])
    try:
        _until_served(server, where / "disk")
        yield where
    finally:
        subprocess.run(["umount", where], check=False)
        try:
            server.wait(READY_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _until_served(server: subprocess.Popen[bytes], disk: Path) -> None:
    deadline = time.monotonic() + READY_S
    while not disk.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail("no FUSE here: install the Debian packages fuse3 and libfuse2")
        time.sleep(0.01)
