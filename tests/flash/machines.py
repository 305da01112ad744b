"""Machines as trees of files: sysfs, /proc and /dev as real ones have them, cut to what is asked.

Paths, links and contents follow laptops with an NVMe disk and LVM, USB readers, and a Pi.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edgenode.flash import Machine

PCI: Final = "sys/devices/pci0000:00"
GB: Final = 1_000_000_000
ROOT: Final = "29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw"


class Tree:
    """A machine that is described device by device."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.machine = Machine(root)
        for path in ("sys/block", "dev"):
            (root / path).mkdir(parents=True)
        self.file("proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")
        self.seen("self")

    def file(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def files(self, at: str, texts: Mapping[str, str]) -> None:
        for name, text in texts.items():
            self.file(f"{at}/{name}", f"{text}\n")

    def seen(self, process: str, *lines: str) -> None:
        """Let a process see these mounts."""
        self.file(f"proc/{process}/mountinfo", "".join(f"{line}\n" for line in lines))

    def opens(self, process: str, path: str, flags: str) -> None:
        """Let a process have a file open; `flags` in octal, as proc_pid_fdinfo(5) has them."""
        self.files(f"proc/{process}", {"comm": "qemu-system-x86"})
        self.files(f"proc/{process}/fdinfo", {"5": f"pos:\t0\nflags:\t{flags}"})
        (self.root / f"proc/{process}/fd").mkdir()
        (self.root / f"proc/{process}/fd/5").symlink_to(path)

    def swap(self, path: str) -> None:
        with (self.root / "proc/swaps").open("a") as file:
            file.write(f"{path}                               partition\t8388604\t0\t-2\n")

    def block(
        self,
        place: str,
        number: str,
        size: int,
        *,
        texts: Mapping[str, str] = {},
        device: str = "",
        about: Mapping[str, str] = {},
        parts: Mapping[str, str] = {},
    ) -> None:
        """Add a device at `place`; `device` is where its "device" leads, `about` what is there."""
        name = Path(place).name
        usual = {"dev": number, "size": str(size // 512), "removable": "0", "ro": "0"}
        more = {"diskseq": "7", "queue/logical_block_size": "512"}
        self.files(place, usual | more | dict(texts))
        for kind in ("holders", "slaves"):
            (self.root / place / kind).mkdir()
        for n, (part, of_part) in enumerate(parts.items(), 1):
            self.files(f"{place}/{part}", {"partition": str(n), "dev": of_part})
            (self.root / place / part / "holders").mkdir()
            self.file(f"dev/{part}", "")
        if device:
            self.files(device, about)
            self._link(f"{place}/device", device)
        self._link(f"sys/block/{name}", place)
        self.file(f"dev/{name}", "")

    def hold(self, part: str, holder: str) -> None:
        """Let a device be built on a partition, or on a whole disk, given below sys/block."""
        (self.root / f"sys/block/{part}/holders/{holder}").mkdir()
        (self.root / f"sys/block/{holder}/slaves/{Path(part).name}").mkdir()

    def _link(self, path: str, target: str) -> None:
        at = self.root / path
        at.symlink_to(os.path.relpath(self.root / target, at.parent))


def usb(
    tree: Tree,
    name: str = "sdb",
    *,
    size: int = 32 * GB,
    removable: str = "1",
    texts: Mapping[str, str] = {},
    parts: Mapping[str, str] = {},
    kind: str = "0",
) -> None:
    port = f"{PCI}/0000:00:14.0/usb1/1-4"
    tree.files(port, {"idVendor": "14cd", "product": "Mass Storage", "serial": "121220160204"})
    scsi = f"{port}/1-4:1.0/host2/target2:0:0/2:0:0:0"
    about = {"vendor": "Generic ", "model": "STORAGE DEVICE  ", "type": kind}
    tree.block(
        f"{scsi}/block/{name}",
        "8:16",
        size,
        texts={"removable": removable, **texts},
        device=scsi,
        about=about,
        parts=parts,
    )


def nvme(tree: Tree) -> None:
    at = f"{PCI}/0000:00:1d.0/0000:3d:00.0/nvme/nvme0"
    tree.block(
        f"{at}/nvme0n1",
        "259:0",
        512 * GB,
        device=at,
        about={"model": "SAMSUNG MZVLB512HBJQ-000L7", "serial": "S4ENNX0N123456"},
        parts={"nvme0n1p1": "259:1", "nvme0n1p2": "259:2", "nvme0n1p3": "259:3"},
    )


def mmc(tree: Tree, kind: str = "SD", name: str = "mmcblk0", size: int = 32 * GB) -> None:
    at = "sys/devices/platform/soc/3f202000.mmc/mmc_host/mmc0/mmc0:aaaa"
    about = {"type": kind, "name": "SC32G", "serial": "0x5a1b2c3d"}
    tree.block(f"{at}/block/{name}", "179:0", size, device=at, about=about)


def loop(tree: Tree, name: str = "loop0", backing: str = "/srv/card.img", size: int = GB) -> None:
    texts = {"loop/backing_file": backing} if backing else {}
    place = f"sys/devices/virtual/block/{name}"
    tree.block(place, f"7:{name[4:]}", size if backing else 0, texts=texts)


def mapped(tree: Tree, name: str = "dm-0", called: str = "vg-root") -> None:
    place = f"sys/devices/virtual/block/{name}"
    tree.block(place, f"254:{name[3:]}", 100 * GB, texts={"dm/name": called})


def zram(tree: Tree, size: int) -> None:
    tree.block("sys/devices/virtual/block/zram0", "253:0", size)


def sata(tree: Tree, size: int = 256 * GB) -> None:
    scsi = f"{PCI}/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0"
    about = {"vendor": "ATA     ", "model": "ST1000LM035-1RK1", "type": "0", "wwid": "naa.5000c5"}
    tree.block(f"{scsi}/block/sda", "8:0", size, device=scsi, about=about)
