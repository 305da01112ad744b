"""The initramfs: busybox, our `init`, and the modules that a card and the root need.

The archive is "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst), written
here so that the same files always give the same bytes.
"""

from __future__ import annotations

import gzip
import re
import stat
from pathlib import Path

from .kernel import Kernel
from .recipe import HERE, run

# Found by the names of devices, not in any order: cards, their clocks, supplies and pins on the
# boards; disks of a virtual machine; file systems. What is built into the kernel is passed over.
WANTED = (
    "mmc_block", "sdhci-iproc", "bcm2835", "bcm2835-dma", "bcm2835_wdt", "gpio-raspberrypi-exp",
    "gpio-regulator", "raspberrypi-hwmon", "reset-raspberrypi", "clk-raspberrypi",
    "bcm2835-power", "raspberrypi-power", "pwrseq_simple", "i2c-bcm2835", "virtio_blk",
    "virtio_pci", "virtio_mmio", "ext4", "squashfs", "overlay", "crc32c_generic", "libcrc32c",
)  # fmt: skip


def make(kernel: Kernel, busybox: Path, work: Path) -> bytes:
    """Return the initramfs, compressed; `busybox` is its .deb, `work` an empty directory."""
    run(["dpkg-deb", "-x", busybox, work])
    modules = f"lib/modules/{kernel.release}"
    source = kernel.root / "usr" / modules
    files = {"init": (HERE / "init").read_bytes(), "bin/busybox": _busybox(work)}
    for path in sorted(_closure(kernel)):
        files[f"{modules}/{path.relative_to(source)}"] = path.read_bytes()
    kept = {name.split(f"{kernel.release}/", 1)[1] for name in files if name.endswith(".ko")}
    files |= {f"{modules}/{name}": text for name, text in _tables(source, kept).items()}
    return gzip.compress(archive(files), 9, mtime=0)


def _busybox(work: Path) -> bytes:
    for place in ("bin/busybox", "usr/bin/busybox"):
        if (work / place).exists():
            return (work / place).read_bytes()
    raise FileNotFoundError("busybox-static without busybox")


def _closure(kernel: Kernel) -> set[Path]:
    """Return WANTED with all that they need; names that are unknown are built into the kernel."""
    found: set[Path] = set()
    base = kernel.root / "usr/lib/modules" / kernel.release
    needs = dict(line.split(":", 1) for line in (base / "modules.dep").read_text().splitlines())
    names = {_plain(Path(path).stem): path for path in needs}
    for name in WANTED:
        path = names.get(_plain(name))
        if path is not None:
            found |= {base / each for each in (path, *needs[path].split())}
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_]", "-", name.removesuffix(".ko"))


def _tables(source: Path, kept: set[str]) -> dict[str, bytes]:
    """modules.dep and modules.alias of what is kept, as busybox's modprobe reads them."""
    names = {_plain(Path(path).stem) for path in kept}
    depends = [
        line for line in (source / "modules.dep").read_text().splitlines()
        if line.split(":", 1)[0] in kept
    ]  # fmt: skip
    aliases = [
        line for line in (source / "modules.alias").read_text().splitlines()
        if line.startswith("alias ") and _plain(line.rsplit(" ", 1)[1]) in names
    ]  # fmt: skip
    return {
        "modules.dep": ("\n".join(sorted(depends)) + "\n").encode(),
        "modules.alias": ("\n".join(sorted(set(aliases))) + "\n").encode(),
    }


def archive(files: dict[str, bytes]) -> bytes:
    """Return files by their names as a newc archive, with the directories and console they need."""
    directories = {str(parent) for name in files for parent in Path(name).parents} - {"."}
    directories |= {"dev", "proc", "sys", "run"}
    out, number = bytearray(), 1
    for name in sorted(directories):
        out += _entry(number, name, stat.S_IFDIR | 0o755, b"")
        number += 1
    # The kernel opens it before anything is mounted: what init says then has somewhere to go.
    out += _entry(number, "dev/console", stat.S_IFCHR | 0o600, b"", (5, 1))
    for name in sorted(files):
        number += 1
        executable = name in {"init", "bin/busybox"}
        out += _entry(number, name, stat.S_IFREG | (0o755 if executable else 0o644), files[name])
    return bytes(out + _entry(0, "TRAILER!!!", 0, b""))


def _entry(
    number: int, name: str, mode: int, data: bytes, device: tuple[int, int] = (0, 0)
) -> bytes:
    """One entry: 13 fields of 8 hexadecimal digits, the name, the data, each padded to 4 bytes."""
    path = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)
