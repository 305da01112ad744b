"""In the guest: a card whose partitions the kernel sees, written by us and mounted by its own vfat.

The kernel of the machine outside may know neither partition tables nor vfat.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from edgenode.flash import Machine, Uses, claimed, device, examined, flash
from tests.flash.images import MIB, make_image
from tests.lab.kernel import load
from tests.support.disks import run

FILES: Final = {"node.json": b'{"version": 1}\n' * 5_000, "city.pub": b"a key\n"}
FOLDER: Final = Path("/run/cards")  # in memory


def cards() -> dict[str, Any]:
    """Return what the kernel makes of a card that was written, and when it may not be written."""
    load("-a", "loop", "vfat", "nls_cp437", "nls_ascii", "dm-mod")
    FOLDER.mkdir()
    run("mount", "-t", "tmpfs", "none", FOLDER)
    image = examined(make_image(FOLDER))
    with (FOLDER / "card").open("wb") as file:
        file.truncate(20 * MIB)
    path = run("losetup", "--find", "--show", "--partscan", FOLDER / "card")
    name, machine = Path(path).name, Machine()
    with claimed(machine, device(machine, name)) as card:
        done = flash(card, image, FILES, lambda *_: None)
    return {
        "seen": done.seen,
        "partitions": [part.name for part in device(machine, name).partitions],
        "boot": _boot(f"{path}p1"),
        "refused": {what: Uses(machine).refusals(device(machine, name)) for what in _uses(path)},
        "free": Uses(machine).refusals(device(machine, name)),
        "name": name,
    }


def _boot(path: str) -> dict[str, Any]:
    """Return whether the boot partition has our files as they were given, and what else."""
    with _mounted(path) as where:
        found = {entry.name: entry.read_bytes() for entry in where.iterdir()}
    return {
        "names": sorted(found),
        "same": all(found.get(name) == data for name, data in FILES.items()),
    }


def _uses(path: str) -> Iterator[str]:
    """Put a partition to one use after another and name it."""
    with _mounted(f"{path}p2"):
        yield "mounted"
    run("dmsetup", "create", "--noudevsync", "secret", "--table", f"0 2048 linear {path}p5 0")
    yield "mapped"
    run("dmsetup", "remove", "--noudevsync", "secret")
    run("mkswap", f"{path}p3")
    run("swapon", f"{path}p3")
    yield "swap"
    run("swapoff", f"{path}p3")


@contextmanager
def _mounted(path: str) -> Iterator[Path]:
    where = FOLDER / "mnt"
    where.mkdir(exist_ok=True)
    run("mount", "-t", "vfat", path, where)
    try:
        yield where
    finally:
        run("umount", where)
