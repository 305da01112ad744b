"""What goes into the partitions: FAT for firmware, squashfs for the root, ext4 for the data.

Every byte follows from its input and one date, so that the same input gives the same image.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from .recipe import DISK_ID, HERE, Part, run

# Largest data partition that the file system can grow to while it is mounted: 1 TiB, in blocks.
DATA_BLOCK = 4096
DATA_LARGEST = (1 << 40) // DATA_BLOCK
JOURNAL_MIB = 16


def fat(part: Part, label: str, files: Iterable[Path], image: Path, date: int) -> None:
    """Make a FAT file system of the part's size with these files in its root directory."""
    environment = {"SOURCE_DATE_EPOCH": str(date), "MTOOLS_SKIP_CHECK": "1"}
    _empty(image, part.size)
    identifier = f"{int(DISK_ID, 16) + part.number:08x}"
    run(["mkfs.fat", "--invariant", "-F", "16", "-i", identifier, "-n", label, image],
        env=environment)  # fmt: skip
    for path in sorted(files):
        os.utime(path, (date, date))
        run(["mcopy", "-m", "-i", image, path, f"::{path.name}"], env=environment)


def squashfs(root: Path, image: Path, date: int) -> None:
    """Pack the root; nothing in it is dated later than `date`, and .pyc fit what is older.

    zstd: a Zero 2 W unpacks it several times faster than xz, which is a tenth smaller.
    """
    image.unlink(missing_ok=True)
    run(["nice", "mksquashfs", root, image, "-noappend", "-no-progress", "-comp", "zstd",
         "-Xcompression-level", "19", "-b", "256K"],
        env={"SOURCE_DATE_EPOCH": str(date)}
        )  # fmt: skip


def ext4(part: Part, image: Path, date: int) -> None:
    """Make the empty data partition, which may grow a thousandfold."""
    _empty(image, part.size)
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"edgenode:{DISK_ID}:data"))
    options = (f"hash_seed={name},resize={DATA_LARGEST},lazy_itable_init=0,"
               "lazy_journal_init=0,root_owner=0:0")  # fmt: skip
    run(["mke2fs", "-q", "-t", "ext4", "-b", str(DATA_BLOCK), "-I", "256", "-i", "8192", "-m", "1",
         "-J", f"size={JOURNAL_MIB}", "-L", part.name, "-U", name, "-E", options, image],
        env={"SOURCE_DATE_EPOCH": str(date), "E2FSPROGS_FAKE_TIME": str(date)})  # fmt: skip


def boot_files(kernel_files: Path, initramfs: bytes, slot: str, work: Path) -> list[Path]:
    """Lay out a boot slot below `work`: firmware, kernel, initramfs, and its two text files."""
    shutil.copytree(kernel_files, work)
    (work / "initramfs").write_bytes(initramfs)
    shutil.copyfile(HERE / "boot/config.txt", work / "config.txt")
    (work / "cmdline.txt").write_text(cmdline(slot))
    return sorted(work.iterdir())


def cmdline(slot: str) -> str:
    """Return the kernel's command line of slot A or B; B's root is the partition after A's."""
    text = (HERE / "boot/cmdline.txt").read_text().replace("@DISK@", DISK_ID)
    return text if slot == "A" else text.replace("-05 ", "-06 ").replace("slot=A", "slot=B")


def first_files(kernel_files: Path, work: Path) -> list[Path]:
    """Lay out the first partition: which slot starts, a word to whoever opens it, first stage."""
    work.mkdir()
    shutil.copyfile(HERE / "boot/autoboot.txt", work / "autoboot.txt")
    readme = (HERE / "boot/README.txt").read_text("utf-8")
    (work / "README.txt").write_bytes(readme.replace("\n", "\r\n").encode())
    # A Pi 3 or Zero 2 W reads its first stage from the first FAT partition of the card.
    shutil.copyfile(kernel_files / "bootcode.bin", work / "bootcode.bin")
    return sorted(work.iterdir())


def _empty(image: Path, size: int) -> None:
    image.unlink(missing_ok=True)
    with image.open("xb") as file:
        file.truncate(size)
