"""Bytes at the block device: what the journal writes for a commit, and the whole spool in a day.

A loop device over a plain file counts the sectors that ext4 writes, its own journal included. The
node works in real time: a tight loop hides the time stamps of inodes, a third of the bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.support.disks import loop_device, make_ext4, mounted

IMAGE_BYTES = 32 << 20
SECTOR = 512  # of /sys/block/*/stat, whatever the device's own is
SECTORS_WRITTEN = 6  # field of /sys/block/*/stat: Documentation/block/stat.rst
DAY_S = 86_400
SETTLE_S = 8.0  # the first commits, and the file system's own of what creation wrote
NEVER_MS = 3_600_000
MOUNTS = {"default": (), "commit=60": ("commit=60",)}
COMMITS_MS = (5_000, 1_000)
WINDOW_MS = 60_000


class Setup(NamedTuple):
    """One node on a disk of its own."""

    mount: str
    commit_ms: int
    sealing: bool  # without, the journal works alone

    @property
    def name(self) -> str:
        return self.mount if self.commit_ms == COMMITS_MS[0] else f"{self.mount}, 1 s"


class Running(NamedTuple):
    """A node at work, and the device that it writes to."""

    setup: Setup
    process: subprocess.Popen[str]
    device: str
    directory: Path

    def count(self, what: str) -> int:
        """Ask the node for one of its counts."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        return int(json.loads(self.process.stdout.readline())[what])

    def written(self) -> int:
        """Bytes written to the device so far."""
        stat = Path(f"/sys/block/{self.device.removeprefix('/dev/')}/stat")
        return int(stat.read_text(encoding="ascii").split()[SECTORS_WRITTEN]) * SECTOR


def measure(seconds: float) -> dict[str, object]:
    """Run every setup at once for `seconds` of real time (60 and more see a whole window).

    Returns journal_bytes_per_commit and disk_gb_per_day (by mount options; the interval is 5 s
    where none is named), or `not_measured` with the reason.
    """
    if os.geteuid() != 0:
        reason = "bytes at the device: needs root, for loop devices and mounts"
        return {"not_measured": {"journal_bytes_per_commit": reason, "disk_gb_per_day": reason}}
    setups = [
        Setup(mount, commit_ms, sealing)
        for mount in MOUNTS
        for commit_ms in COMMITS_MS
        for sealing in (False, True)
    ]
    per_commit: dict[str, float] = {}
    gb_per_day: dict[str, float] = {}
    with ExitStack() as stack:
        nodes = [stack.enter_context(node(setup)) for setup in setups]
        time.sleep(SETTLE_S)
        before = [(running.written(), running.count("commits")) for running in nodes]
        began = time.monotonic()
        time.sleep(seconds)
        for running, (written_then, commits_then) in zip(nodes, before, strict=True):
            written = running.written() - written_then
            day = DAY_S / (time.monotonic() - began)
            if running.setup.sealing:
                gb_per_day[running.setup.name] = round(written * day / 1e9, 4)
            else:
                commits = running.count("commits") - commits_then
                per_commit[running.setup.name] = round(written / max(1, commits))
    return {"journal_bytes_per_commit": per_commit, "disk_gb_per_day": gb_per_day}


@contextmanager
def node(setup: Setup) -> Iterator[Running]:
    """Put a node to work on an ext4 of its own; what creating it wrote is flushed first."""
    with TemporaryDirectory(prefix="edgenode-bench-") as room:
        image = Path(room) / "image"
        make_ext4(image, IMAGE_BYTES)
        with (
            loop_device(image) as device,
            mounted(device, Path(room) / "disk", *MOUNTS[setup.mount]) as directory,
        ):
            window_ms = WINDOW_MS if setup.sealing else NEVER_MS
            command = [sys.executable, "-m", "bench.disk_node", str(directory)]
            process = subprocess.Popen(
                [*command, str(setup.commit_ms), str(window_ms)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[1],
            )
            with process:
                try:
                    assert process.stdout is not None
                    assert process.stdout.readline() == "at work\n"
                    subprocess.run(["sync", "--file-system", directory], check=True)
                    yield Running(setup, process, device, directory)
                finally:
                    assert process.stdin is not None
                    process.stdin.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="of real time (default 1)")
    print(json.dumps(measure(parser.parse_args().minutes * 60), indent=2))


if __name__ == "__main__":
    main()
