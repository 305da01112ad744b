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
        forgetful_disk(base, room / "fuse", log) as served,
        loop_device(served / "disk") as device,
        mounted(device, room / "disk") as directory,
    ):
        for life in lives:
            command = (sys.executable, "-m", "tests.disk.workload", directory, served / "marks")
            done = subprocess.run(
                (*command, *life), capture_output=True, timeout=RUN_S, check=False, cwd=PROJECT
            )
            assert done.returncode == 0, done.stderr.decode()
    records = read_log(log)
    last = max(at for at, record in enumerate(records) if record.kind == MARK)
    return records[: last + 1]


@contextmanager
def forgetful_disk(base: Path, where: Path, log: Path) -> Iterator[Path]:
    """Serve a copy of `base` as `where`/disk and log all that happens to it."""
    where.mkdir()
    command = (sys.executable, "-m", "tests.disk.forgetful", base, where, log)
    server = subprocess.Popen(command, cwd=PROJECT)
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
            raise Unmountable("no FUSE here: install the Debian packages fuse3 and libfuse2")
        time.sleep(0.01)
