"""Record one run of a workload on a disk that forgets."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.disk.forgetful import MARK
from tests.disk.replay import Record, read_log
from tests.support.disks import Unmountable, loop_device, make_ext4, mounted

PROJECT = Path(__file__).parents[2]
READY_S = 10.0
RUN_S = 60.0
DISK_BYTES = 24 << 20


def record(base: Path, room: Path, lives: Sequence[Sequence[str]]) -> list[Record]:
    """Run `lives` one after another on a new disk; return all that happened to it until the last.

    Each is the arguments of tests.disk.workload but the first two: the mounted directory and
    the file for its marks. `base` becomes the disk as it was before.
    """
    make_ext4(base, DISK_BYTES)
    log = room / "log"
    with (
        served("tests.disk.forgetful", room / "fuse", base, log) as fuse,
        loop_device(fuse / "disk") as device,
        mounted(device, room / "disk") as directory,
    ):
        for life in lives:
            command = (sys.executable, "-m", "tests.disk.workload", directory, fuse / "marks")
            done = subprocess.run(
                (*command, *life), capture_output=True, timeout=RUN_S, check=False, cwd=PROJECT
            )
            assert done.returncode == 0, done.stderr.decode()
    records = read_log(log)
    last = max(at for at, record in enumerate(records) if record.kind == MARK)
    return records[: last + 1]


@contextmanager
def served(module: str, where: Path, first: Path, *arguments: Path | str) -> Iterator[Path]:
    """Run one of the FUSE programs of this room until the end of the block.

    `first` is what it serves, `where` its mount point, and a file is there when it is ready.
    """
    where.mkdir()
    command = (sys.executable, "-m", module, first, where, *arguments)
    server = subprocess.Popen(command, cwd=PROJECT)
    try:
        deadline = time.monotonic() + READY_S
        while not where.is_mount():
            if server.poll() is not None or time.monotonic() > deadline:
                raise Unmountable("no FUSE here: install the Debian packages fuse3 and libfuse2")
            time.sleep(0.01)
        yield where
    finally:
        subprocess.run(["umount", where], check=False)
        try:
            server.wait(READY_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
