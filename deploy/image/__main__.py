"""`python -m deploy.image`: build the image of a node's card. Needs root and Debian on x86-64.

Leaves in --out: edgenode-VERSION-arm64.img.xz and its .sha256, the two slot images that an update
bundle is made of (.boot.vfat, .root.squashfs), the lock (.debs) and the bill of materials
(.cdx.json).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import disk, initramfs, kernel, root, sbom, slots, tryboot
from .packages import Archive, Package, lock
from .recipe import (
    CHECKOUT,
    INITRAMFS,
    MIRROR,
    PACKAGES,
    PARTS,
    BuildError,
    cache,
    epoch,
    need,
    run,
    say,
)

TOOLS = {
    "mmdebstrap": "mmdebstrap", "qemu-aarch64-static": "qemu-user-static", "sfdisk": "fdisk",
    "mksquashfs": "squashfs-tools", "mkfs.fat": "dosfstools", "mcopy": "mtools", "xz": "xz-utils",
    "mke2fs": "e2fsprogs", "depmod": "kmod", "systemctl": "systemd", "dpkg-deb": "dpkg",
    "git": "git", "aarch64-linux-gnu-gcc-12": "gcc-12-aarch64-linux-gnu", "make": "make",
}  # fmt: skip


@dataclass(frozen=True)
class Job:
    """What is to be built."""

    deb: Path
    out: Path
    suite: str
    mirror: str
    lock: Path | None
    keyring: Path | None


def main() -> int:
    """Build, and print what was made with its sizes; 1 where it cannot be."""
    os.umask(0o022)  # what is made without a mode of its own is a part of the image
    try:
        job = _job()
        need(TOOLS)
        with tempfile.TemporaryDirectory(dir=cache(), prefix="work-") as work:
            _build(job, Path(work))
    except BuildError as error:
        sys.stderr.write(f"image: {error}\n")
        return 1
    return 0


def _job() -> Job:
    parser = argparse.ArgumentParser(prog="python -m deploy.image", description=__doc__)
    parser.add_argument("--deb", type=Path, required=True, help="the edgenode package for arm64")
    where = CHECKOUT / "build/image"
    parser.add_argument("--out", type=Path, default=where, help="where it is left")
    parser.add_argument("--suite", default="bookworm", help="Debian's release")
    parser.add_argument("--mirror", default=MIRROR, help="another mirror, such as a snapshot")
    parser.add_argument("--lock", type=Path, help="refuse any other packages than these (.debs)")
    parser.add_argument("--keyring", type=Path, help="who may sign updates (PEM); none: nobody")
    return Job(**vars(parser.parse_args()))


def _build(job: Job, work: Path) -> None:
    if os.geteuid() != 0:
        raise BuildError("a root file system is made by root: sudo make image")
    date = epoch()
    os.environ["SOURCE_DATE_EPOCH"] = str(date)  # for every tool: passwords, caches, file systems
    if job.keyring is None:
        say("no --keyring: this card will take an update from nobody")
    archive = Archive(cache() / f"apt-{job.suite}", job.suite, job.mirror)
    say("packages: reading the lists")
    archive.update()
    packages = archive.closure(PACKAGES)
    taken = kernel.take(archive, work / "kernel")
    tryboot.add(archive, taken, work / "tryboot")
    busybox, busybox_deb = archive.fetch(INITRAMFS)
    everything = [*packages, *(package for package, _ in taken.packages), busybox]
    _obey(job.lock, everything)
    tree = work / "root"
    root.node(root.base(cache(), archive, packages), job.deb, tree)
    run(["cp", "-a", f"{taken.root}/.", tree])
    deb = _fields(job.deb)
    if job.keyring is not None:
        shutil.copyfile(job.keyring, tree / "etc/rauc/keyring.pem")
        (tree / "etc/rauc/keyring.pem").chmod(0o644)
    _release(tree, deb["Version"], taken.release, job.suite, date)
    (work / "initramfs").mkdir()
    memory = initramfs.make(taken, busybox_deb, work / "initramfs")
    contents = _contents(taken, memory, tree, work, date)
    _leave(job, contents, work, deb, date, (lock(everything), tree, everything))


def _obey(given: Path | None, packages: list[Package]) -> None:
    if given is not None and given.read_text("utf-8") != lock(packages):
        raise BuildError(
            f"{given} names other packages than the archive offers; build from a snapshot of the "
            "archive (--mirror) of its day, or without --lock"
        )


def _release(tree: Path, version: str, release: str, suite: str, date: int) -> None:
    """Write what /usr/lib/edgenode-image/release tells a maintainer, like os-release(5)."""
    text = f"EDGENODE={version}\nKERNEL={release}\nDEBIAN={suite}\nBUILT={date}\n"
    (tree / "usr/lib/edgenode-image/release").write_text(text)


def _contents(
    taken: kernel.Kernel, memory: bytes, tree: Path, work: Path, date: int
) -> dict[str, Path]:
    parts = {part.name: part for part in PARTS}
    made = {name: work / name for name in ("edgenode", "boot-a", "root-a", "data")}
    say("slots: squashfs, FAT and ext4")
    slots.squashfs(tree, made["root-a"], date)
    first = slots.first_files(taken.boot, work / "first")
    slots.fat(parts["edgenode"], "EDGENODE", first, made["edgenode"], date)
    boot = slots.boot_files(taken.boot, memory, "A", work / "files")
    slots.fat(parts["boot-a"], "BOOT", boot, made["boot-a"], date)
    slots.ext4(parts["data"], made["data"], date)
    return made


def _leave(
    job: Job,
    contents: dict[str, Path],
    work: Path,
    deb: dict[str, str],
    date: int,
    told: tuple[str, Path, list[Package]],
) -> None:
    job.out.mkdir(parents=True, exist_ok=True)
    text, tree, packages = told
    name = f"edgenode-{deb['Version']}-arm64"
    image = work / f"{name}.img"
    disk.assemble(contents, image)
    say("compressing")
    results = {
        f"{name}.img.xz": disk.compress(image),
        f"{name}.boot.vfat": contents["boot-a"],
        f"{name}.root.squashfs": contents["root-a"],
    }
    (work / "debs").write_text(text)
    (work / "bill").write_text(sbom.bill(tree, packages, deb, job.suite, date), "utf-8")
    results |= {f"{name}.debs": work / "debs", f"{name}.cdx.json": work / "bill"}
    for target, path in results.items():
        shutil.move(path, job.out / target)
        digest = _sha256(job.out / target)
        size = (job.out / target).stat().st_size / 1e6
        sys.stdout.write(f"{digest}  {target}  {size:.1f} MB\n")
        if target.endswith(".xz"):
            (job.out / f"{target}.sha256").write_text(f"{digest}  {target}\n")


def _fields(deb: Path) -> dict[str, str]:
    if not deb.exists():
        raise BuildError(f"{deb} does not exist; make deb")
    names = ("Package", "Version", "Architecture")
    fields = {name: run(["dpkg-deb", "-f", deb, name]).strip() for name in names}
    if fields["Architecture"] not in {"arm64", "all"}:
        raise BuildError(f"{deb} is for {fields['Architecture']}; the image is arm64")
    return {**fields, "SHA256": _sha256(deb)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
