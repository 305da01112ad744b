"""A card with our image on it, and the firmware of a Raspberry Pi reading it.

The first partition is read and written as a laptop would, by mtools; what the firmware does is
that of the Raspberry Pi documentation (config.txt, "autoboot.txt", "tryboot", "Boot options").
"""

from __future__ import annotations

import lzma
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from deploy.image.disk import placed

SIZES_MIB = 4096  # of the card: QEMU's Raspberry Pi wants a power of two


class Boot(NamedTuple):
    """What the firmware loads; `partition` is that of the slot."""

    partition: int
    kernel: Path
    initramfs: Path
    cmdline: str
    tree: Path


class Card:
    """A card of 4 GiB, flashed with an image (.img.xz)."""

    def __init__(self, path: Path, image: Path) -> None:
        self.path = path
        with lzma.open(image) as source, path.open("xb") as target:
            while block := source.read(1 << 20):
                if block.strip(b"\0"):
                    target.write(block)
                else:
                    target.seek(len(block), 1)
            target.truncate(SIZES_MIB << 20)
        self._offsets = {part.number: at for part, at in placed()}

    def read(self, partition: int, name: str) -> bytes | None:
        """Return a file of a FAT partition; None where it has no such file."""
        done = self._mtools("mtype", partition, f"::{name}")
        return done.stdout if done.returncode == 0 else None

    def names(self) -> set[str]:
        """Return the names of the files in the first partition."""
        done = self._mtools("mdir", 1, "-b", "::")
        return {line.decode().removeprefix("::/") for line in done.stdout.splitlines()}

    def put(self, source: Path, name: str) -> None:
        """Copy a file onto the first partition, as an installer does on a laptop."""
        done = self._mtools("mcopy", 1, "-o", str(source), f"::{name}")
        assert done.returncode == 0, done.stderr.decode()

    def _mtools(self, verb: str, partition: int, *words: str) -> subprocess.CompletedProcess[bytes]:
        assert shutil.which(verb), f"{verb} is missing: apt install mtools"
        where = f"{self.path}@@{self._offsets[partition]}"
        return subprocess.run([verb, "-i", where, *words], check=False, capture_output=True)

    def boot(self, work: Path, *, tryboot: bool) -> Boot:
        """Do as the firmware does: choose the slot, and load what its config.txt names."""
        autoboot = (self.read(1, "autoboot.txt") or b"").decode()
        assert len(autoboot) <= 512, "the firmware reads 512 bytes of autoboot.txt"
        partition = int(_value(autoboot, "boot_partition", tryboot=tryboot))
        config = (self.read(partition, "config.txt") or b"").decode()
        kernel = _value(config, "kernel", tryboot=False)
        line = next(row for row in config.splitlines() if row.startswith("initramfs "))
        initramfs = line.split()[1]
        for name in (kernel, initramfs, "cmdline.txt", "bcm2837-rpi-3-b.dtb"):
            content = self.read(partition, name)
            assert content, f"{name} is missing in partition {partition}"
            (work / name).write_bytes(content)
        cmdline = (work / "cmdline.txt").read_text().strip()
        tree = work / "bcm2837-rpi-3-b.dtb"
        return Boot(partition, work / kernel, work / initramfs, cmdline, tree)


def _value(text: str, key: str, *, tryboot: bool) -> str:
    """The last value of a key in the sections that hold: [all], and [tryboot] in a try."""
    section, found = "all", ""
    for row in text.splitlines():
        if row.startswith("["):
            section = row.strip("[] \r")
        elif row.startswith(f"{key}=") and (section == "all" or (section == "tryboot" and tryboot)):
            found = row.partition("=")[2].strip()
    return found
