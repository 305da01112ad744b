"""Images, loop devices and mounts for tests and measurements, all undone at the end. Needs root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


class Unmountable(RuntimeError):
    """The system refused a device or a mount; the message says which command and why."""


def run(*command: str | Path, ok: tuple[int, ...] = (0,)) -> str:
    """Run a system command and return what it printed; raise Unmountable with what it said."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode not in ok:
        raise Unmountable(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
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
    """Mount a device, or with "loop" among the options an image.

    An image gets a device of its own: by itself `mount` takes one that is not let go of yet, with
    what it remembers of the image as it was before.
    """
    where.mkdir(exist_ok=True)
    with ExitStack() as stack:
        if "loop" in options:
            source = stack.enter_context(loop_device(Path(source)))
        flags = ",".join(("noatime", *(option for option in options if option != "loop")))
        run("mount", "-t", "ext4", "-o", flags, source, where)
        stack.callback(run, "umount", where)
        yield where


@contextmanager
def tmpfs(where: Path, size_bytes: int) -> Iterator[Path]:
    """Mount a memory file system that is really full at `size_bytes`."""
    where.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "none", where)
    try:
        yield where
    finally:
        run("umount", where)
