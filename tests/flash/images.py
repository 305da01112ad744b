"""A small image in the layout of ours: MBR, EDGENODE, two boot slots, two root slots, data."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from tests.support.disks import run

MIB: Final = 1 << 20
SIZE: Final = 13 * MIB + 512  # what follows the last whole MiB is part of the image as well
# First MiB and MiB of each partition; 4 is the extended one, whose tables take a MiB each.
PLACES: Final = {1: (1, 3), 2: (4, 1), 3: (5, 1), 5: (7, 1), 6: (9, 1), 7: (11, 2)}
NEEDED: Final = {
    "sfdisk": "fdisk", "mkfs.vfat": "dosfstools", "mcopy": "mtools", "mke2fs": "e2fsprogs",
    "losetup": "mount",
}  # fmt: skip


def make_image(folder: Path) -> Path:
    """Make the image in an empty folder."""
    for tool, package in NEEDED.items():
        assert shutil.which(tool, path="/usr/bin:/usr/sbin:/bin:/sbin"), f"install {package}"
    image = folder / "edgenode-arm64.img"
    with image.open("wb") as file:
        file.truncate(SIZE)
    _partition(image, folder)
    _fat(folder, image, 1, "EDGENODE", {"autoboot.txt": "[all]\ntryboot_a_b=1\nboot_partition=2\n"})
    for number, name in ((2, "BOOT-A"), (3, "BOOT-B")):
        _fat(folder, image, number, name, {"cmdline.txt": f"root=/dev/mmcblk0p{number + 3} ro\n"})
    (folder / "root").mkdir()
    (folder / "root/os-release").write_text("ID=edgenode\n" * 4096)
    for number in (5, 6, 7):
        _ext4(folder, image, number)
    return image


def _partition(image: Path, folder: Path) -> None:
    def row(number: int, kind: str) -> str:
        start, size = PLACES[number]
        return f"{image}{number} : start={start * 2048}, size={size * 2048}, type={kind}\n"

    rows = [row(1, "c"), row(2, "c"), row(3, "c")]
    rows += [f"{image}4 : start={6 * 2048}, size={7 * 2048}, type=5\n"]
    rows += [row(5, "83"), row(6, "83"), row(7, "83")]
    script = folder / "table"
    script.write_text("label: dos\nlabel-id: 0xed9e0de0\n" + "".join(rows))
    run("sh", "-c", 'sfdisk --quiet "$1" <"$2"', "sh", image, script)


def _fat(folder: Path, image: Path, number: int, label: str, files: dict[str, str]) -> None:
    part = folder / f"p{number}"
    with part.open("wb") as file:
        file.truncate(PLACES[number][1] * MIB)
    run("mkfs.vfat", "-n", label, "-i", f"ed9e000{number}", part)
    for name, text in files.items():
        (folder / name).write_text(text)
        run("mcopy", "-i", part, folder / name, f"::{name}")
    _put(image, number, part)


def _ext4(folder: Path, image: Path, number: int) -> None:
    part = folder / f"p{number}"
    size = f"{PLACES[number][1]}M"
    run("mke2fs", "-q", "-F", "-t", "ext4", "-d", folder / "root", part, size)
    _put(image, number, part)


def _put(image: Path, number: int, part: Path) -> None:
    with image.open("r+b") as file:
        file.seek(PLACES[number][0] * MIB)
        file.write(part.read_bytes())
