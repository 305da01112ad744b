"""The root file system: Debian's packages by mmdebstrap, the node's own files on top."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from .packages import Archive, Package, lock
from .recipe import (
    ARCHITECTURE,
    CHECKOUT,
    DIRECTORIES,
    DISK_ID,
    EXCLUDED,
    HERE,
    INCLUDED,
    PACKAGES,
    USERS,
    BuildError,
    run,
    say,
)

# Files of this project that a node on Debian may want, and the node of this image has.
DROP_INS = {
    "systemd/edgenode-watchdog.conf": "etc/systemd/system.conf.d/50-edgenode-watchdog.conf",
    "systemd/edgenode-journald.conf": "usr/lib/systemd/journald.conf.d/50-edgenode.conf",
    "deploy/ota/system.conf": "etc/rauc/system.conf",
    "deploy/ota/backend": "usr/lib/edgenode/ota/backend",
    "deploy/ota/dbus.conf": "etc/dbus-1/system.d/edgenode-rauc.conf",
}
# What differs from build to build or is the building machine's, by its place in the root.
STALE = (
    "var/cache/apt/*", "var/lib/apt/lists/*", "var/log/*", "var/cache/debconf/*-old",
    "var/lib/dpkg/*-old", "var/cache/ldconfig/aux-cache", "var/lib/systemd/random-seed",
    "var/lib/systemd/catalog/database", "etc/ssh/ssh_host_*", "etc/*-", "etc/.pwd.lock",
    "etc/resolv.conf", "etc/edgenode/*.toml", "var/lib/edgenode/*",
    "run/*", "tmp/*", "var/tmp/*", "root/*", "boot/*.*", "dev/*",
    "usr/lib/python3*/**/__pycache__/*.pyc.*",
)  # fmt: skip


# The day of Debian 12 (POSIX s) dates what the packages' scripts make, so that a root in the cache
# serves builds of any day.
BASE_DATE = 1_686_355_200


def emulation() -> None:
    """Let this machine's kernel run programs for arm64 (binfmt_misc, qemu-user-static)."""
    where = Path("/proc/sys/fs/binfmt_misc")
    if os.uname().machine == "aarch64":
        return
    if not (where / "register").exists():
        run(["mount", "-t", "binfmt_misc", "binfmt_misc", where])
    if not (where / "qemu-aarch64").exists():
        run(["/lib/systemd/systemd-binfmt"])
    if not (where / "qemu-aarch64").exists():
        raise BuildError("the kernel cannot run arm64 programs: apt-get install qemu-user-static")


def base(cache: Path, archive: Archive, packages: list[Package]) -> Path:
    """Return a root of exactly these packages, made if it is not in the cache yet."""
    recipe = repr((PACKAGES, EXCLUDED, INCLUDED, archive.suite)) + lock(packages)
    key = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    root = cache / "roots" / f"{archive.suite}-{key}"
    if root.exists():
        say(f"root of {len(packages)} packages: cached")
        return root
    say(f"root of {len(packages)} packages: about five minutes")
    emulation()
    work = root.with_suffix(".work")
    shutil.rmtree(work, ignore_errors=True)
    work.parent.mkdir(parents=True, exist_ok=True)
    began = time.time()
    run(_mmdebstrap(work, archive), env={"SOURCE_DATE_EPOCH": str(BASE_DATE)})
    _compare(work, packages)
    settle(work, began)
    work.rename(root)
    return root


def settle(root: Path, began: float) -> None:
    """Date what was made since `began` (POSIX s) as if on BASE_DATE; packages keep their dates.

    Python compares the date of a source, which is its package's, with what its .pyc has.
    """
    for directory, names, files in os.walk(root):  # links to directories are among the names
        for path in (Path(directory), *(Path(directory, name) for name in (*names, *files))):
            if path.lstat().st_mtime >= began:
                os.utime(path, (BASE_DATE, BASE_DATE), follow_symlinks=False)


def _mmdebstrap(root: Path, archive: Archive) -> list[str]:
    patterns = [f"--dpkgopt=path-exclude={path}" for path in EXCLUDED]
    patterns += [f"--dpkgopt=path-include={path}" for path in INCLUDED]
    return [
        # Its mounts of /proc, /sys and /dev end with it, also when it is killed.
        "unshare", "--mount", "mmdebstrap", "--mode=root", "--format=directory",
        f"--architectures={ARCHITECTURE}",
        "--variant=apt", f"--include={','.join(PACKAGES)}",
        "--components=main,non-free-firmware",
        "--aptopt=APT::Install-Recommends false",
        "--aptopt=Acquire::Check-Valid-Until false", "--aptopt=Acquire::Check-Date false",
        "--aptopt=Acquire::Languages none",
        *patterns,
        archive.suite, str(root), *archive.sources,
    ]  # fmt: skip


def _compare(root: Path, packages: list[Package]) -> None:
    wanted = {(package.name, package.version) for package in packages}
    found = {(row["Package"], row["Version"]) for row in installed(root)}
    if wanted != found:
        names = ", ".join(sorted(f"{name} {version}" for name, version in wanted ^ found))
        raise BuildError(f"the root does not hold what was resolved: {names}")


def installed(root: Path) -> Iterator[dict[str, str]]:
    """Yield the fields of each package that dpkg has installed in `root`."""
    text = (root / "var/lib/dpkg/status").read_text("utf-8")
    for stanza in text.split("\n\n"):
        lines = [line for line in stanza.splitlines() if line[:1] != " " and ": " in line]
        fields = dict(line.split(": ", 1) for line in lines)
        if fields.get("Status", "").endswith(" installed"):
            yield fields


def node(base_root: Path, deb: Path, root: Path) -> None:
    """Copy a base root to `root` and make it a node's: users, package, files of `tree`."""
    run(["cp", "-a", "--reflink=auto", base_root, root])
    _users(root)
    for name in DIRECTORIES:
        (root / name).mkdir(parents=True, exist_ok=True)
    emulation()
    shutil.copy(deb, root / "root/edgenode.deb")
    # systemd-tmpfiles of its postinst asks for /proc, which ends with this command.
    run(["unshare", "--mount", "--pid", "--fork", f"--mount-proc={root}/proc", "chroot", root,
         "/usr/bin/dpkg", "--install", "/root/edgenode.deb"],
        env={"DEBIAN_FRONTEND": "noninteractive"})  # fmt: skip
    _own_files(root)
    run(["systemctl", f"--root={root}", "enable", "edgenode-card.service"])
    run(["systemctl", f"--root={root}", "mask", "apt-daily.timer", "apt-daily-upgrade.timer",
         "dpkg-db-backup.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer",
         "man-db.timer",
         # It would take the identity that is bound there for a passing one, and lift the bind.
         "systemd-machine-id-commit.service"])  # fmt: skip
    _forget(root)


def _users(root: Path) -> None:
    """Make the daemon's user and the maintainer under fixed numbers; `*` is no password at all."""
    number = str(USERS["edgenode"])
    run(["groupadd", "--root", root, "--system", "--gid", number, "edgenode"])
    run(["useradd", "--root", root, "--system", "--uid", number, "--gid", number,
         "--no-create-home", "--home-dir", "/var/lib/edgenode", "--shell", "/usr/sbin/nologin",
         "edgenode"])  # fmt: skip
    run(["useradd", "--root", root, "--uid", str(USERS["maintainer"]), "--user-group",
         "--create-home", "--shell", "/bin/bash", "--password", "*", "maintainer"])  # fmt: skip
    run(["usermod", "--root", root, "--append", "--groups", "sudo,adm,systemd-journal",
         "maintainer"])  # fmt: skip
    run(["usermod", "--root", root, "--password", "*", "root"])


def lay(source: Path, root: Path) -> None:
    """Copy a tree over `root`; its owner, modes and dates are not those of a checkout."""
    for path in sorted(source.rglob("*")):
        there = root / path.relative_to(source)
        if path.is_dir():
            there.mkdir(exist_ok=True)
        else:
            shutil.copyfile(path, there)
            there.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            os.chown(there, 0, 0)


def _own_files(root: Path) -> None:
    lay(HERE / "tree", root)
    (root / "etc/sudoers.d/maintainer").chmod(0o440)
    fstab = root / "etc/fstab"
    fstab.write_text(fstab.read_text().replace("@DISK@", DISK_ID))
    for source, place in DROP_INS.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / source, root / place)
        (root / place).chmod(0o755 if os.access(CHECKOUT / source, os.X_OK) else 0o644)
    run(["usermod", "--root", root, "--append", "--groups", "edgenode", "maintainer"])


def _forget(root: Path) -> None:
    for pattern in STALE:
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for name in ("etc/machine-id", "var/lib/systemd/random-seed", "etc/resolv.conf"):
        (root / name).write_bytes(b"")
