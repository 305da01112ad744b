"""Debian's kernel and the Raspberry Pi's firmware, taken out of their packages."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from .packages import Archive, Package
from .recipe import KERNEL, UNPACKED, BuildError, run

# Boards by the name that Debian's kernel gives their device tree.
BOARDS = (
    "bcm2837-rpi-zero-2-w", "bcm2837-rpi-3-a-plus", "bcm2837-rpi-3-b", "bcm2837-rpi-3-b-plus",
    "bcm2711-rpi-4-b", "bcm2711-rpi-400", "bcm2711-rpi-cm4-io",
)  # fmt: skip
# The first stage of older boards and, for each generation, its firmware and that one's memory map.
STAGES = ("bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat")
# Modules that no node has hardware or use for; what remains is a quarter.
UNUSED = (
    "sound", "drivers/gpu", "drivers/infiniband", "drivers/media", "drivers/staging",
    "drivers/scsi", "drivers/ata", "drivers/nvme", "drivers/isdn", "drivers/accel",
    "drivers/net/ethernet", "drivers/net/wireless", "drivers/net/fddi", "drivers/net/can",
    "drivers/video", "drivers/target", "drivers/xen", "drivers/vfio", "drivers/crypto",
    "drivers/input", "drivers/hid", "drivers/mtd", "drivers/edac", "drivers/firewire",
    "drivers/message", "drivers/perf", "drivers/soundwire", "drivers/hwtracing",
    "drivers/infiniband", "drivers/thunderbolt", "drivers/bluetooth", "net/bluetooth",
    "net/wireguard", "net/openvswitch", "net/sctp", "net/tipc", "net/ceph", "net/rds", "net/dccp",
    "net/batman-adv", "net/nfc", "net/sunrpc", "net/smc", "net/can", "net/9p/9pnet_rdma.ko",
    "fs/btrfs", "fs/xfs", "fs/ocfs2", "fs/gfs2", "fs/nfs", "fs/nfsd", "fs/smb", "fs/cifs",
    "fs/ceph", "fs/f2fs", "fs/jfs", "fs/reiserfs", "fs/ubifs", "fs/udf", "fs/afs", "fs/dlm",
    "fs/nilfs2", "fs/orangefs", "fs/hfs", "fs/hfsplus", "fs/ntfs3", "fs/ksmbd", "fs/lockd",
)  # fmt: skip
# Kept out of what is thrown away: Ethernet and Wi-Fi of the boards, their USB adapters.
KEPT = (
    "drivers/net/ethernet/broadcom/genet", "drivers/net/wireless/broadcom/brcm80211",
    "drivers/scsi/scsi_common.ko", "drivers/scsi/scsi_mod.ko", "drivers/scsi/sd_mod.ko",
)  # fmt: skip
WIFI = "cypress/cyfmac43430-* cypress/cyfmac43455-* brcm/brcmfmac43430-* brcm/brcmfmac43455-*"


@dataclass(frozen=True)
class Kernel:
    """What was taken out: `boot` holds the files of a boot slot, `root` those of the root."""

    release: str
    boot: Path
    root: Path
    packages: tuple[tuple[Package, Path], ...]


def take(archive: Archive, work: Path) -> Kernel:
    """Download and unpack kernel and firmware below `work`; raises BuildError for what lacks."""
    name = archive.newest_kernel(KERNEL)
    release = name.removeprefix("linux-image-")
    fetched = tuple(archive.fetch(package) for package in (name, *UNPACKED))
    opened = work / "opened"
    opened.mkdir(parents=True)
    for _, path in fetched:
        run(["dpkg-deb", "-x", path, opened])
    kernel = Kernel(release, work / "boot", work / "root", fetched)
    kernel.boot.mkdir()
    _boot_files(opened, kernel)
    _modules(opened, kernel)
    _licences(opened, kernel)
    return kernel


def _boot_files(opened: Path, kernel: Kernel) -> None:
    (opened / f"boot/vmlinuz-{kernel.release}").rename(kernel.boot / "vmlinuz")
    for stage in STAGES:
        _copy(opened / "usr/lib/raspi-firmware" / stage, kernel.boot / stage)
    trees = opened / f"usr/lib/linux-image-{kernel.release}/broadcom"
    for board in BOARDS:
        _copy(trees / f"{board}.dtb", kernel.boot / f"{board}.dtb")


def _copy(source: Path, target: Path) -> None:
    if not source.exists():
        raise BuildError(
            f"{source.name} is in none of the packages; is this release of Debian known?"
        )
    shutil.copy2(source, target)


def _modules(opened: Path, kernel: Kernel) -> None:
    """Leave out what no node needs; /lib is a link to /usr/lib in the root."""
    modules = kernel.root / "usr/lib/modules" / kernel.release
    modules.parent.mkdir(parents=True)
    (opened / "lib/modules" / kernel.release).rename(modules)
    inside = modules / "kernel"
    aside = kernel.root / "kept"
    for name in KEPT:
        if (inside / name).exists():
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            (inside / name).rename(aside / name)
    for name in UNUSED:
        path = inside / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    shutil.copytree(aside, inside, dirs_exist_ok=True)
    shutil.rmtree(aside)
    run(["depmod", "-b", kernel.root / "usr", kernel.release])


def _licences(opened: Path, kernel: Kernel) -> None:
    for package, _ in kernel.packages:
        place = kernel.root / "usr/share/doc" / package.name
        place.mkdir(parents=True)
        _copy(opened / "usr/share/doc" / package.name / "copyright", place / "copyright")
    firmware = kernel.root / "usr/lib/firmware"
    for pattern in WIFI.split():
        for path in (opened / "lib/firmware").glob(pattern):
            target = firmware / path.relative_to(opened / "lib/firmware")
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(path, target, follow_symlinks=False)
