"""What the image is made of and how it is laid out; the figures are explained where they stand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
MIB = 1 << 20
ARCHITECTURE = "arm64"
MIRROR = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"

# The disk identifier of the partition table (MBR, bytes 440-443), the same on all cards: what an
# update brings fits each of them. Linux calls partition N "PARTUUID=ed9e0001-0N".
DISK_ID = "ed9e0001"

# What a node needs beside Debian's essential packages, each with its reason.
PACKAGES = (
    "systemd-sysv", "udev", "dbus", "kmod",
    "systemd-timesyncd",  # NTP by the smallest client; the daemon asks the kernel how good it is
    "openssh-server", "sudo",
    "network-manager", "modemmanager", "wpasupplicant", "wireless-regdb", "ppp",
    "iproute2", "iputils-ping", "ca-certificates", "openssl",
    "rauc", "rauc-service",
    "e2fsprogs", "fdisk", "dosfstools",  # the data partition grows; both kinds are checked
    "python3",
    "tzdata", "procps", "less", "nano-tiny", "busybox",  # what a maintainer reaches for
)  # fmt: skip

# Taken apart instead of installed: their scripts would make an initramfs under emulation.
KERNEL = "linux-image-arm64"
UNPACKED = ("raspi-firmware", "firmware-brcm80211")
INITRAMFS = "busybox-static"

# Fixed, so that a later image owns what an earlier one has written.
USERS = {"edgenode": 900, "maintainer": 1000}

# Places whose file must be there to be bound over, beside those that packages bring.
DIRECTORIES = (
    "data", "boot/firmware", "etc/ssh/keys", "etc/systemd/timesyncd.conf.d",
    "etc/NetworkManager/system-connections", "usr/share/man/man1", "var/lib/NetworkManager",
    "var/lib/systemd/timesync", "var/lib/systemd/timers", "var/lib/rauc",
)  # fmt: skip

# Nobody reads these on a node; licences stay, and our own pages, which remedies name.
EXCLUDED = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*",
    "/usr/share/lintian/*", "/usr/share/bug/*",
)  # fmt: skip
INCLUDED = (
    "/usr/share/doc/*/copyright", "/usr/share/doc/edgenode/*", "/usr/share/man/man1/edgenode.1.gz",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One partition: number, name, type in the MBR, size in bytes, whether it is logical."""

    number: int
    name: str
    kind: str
    size: int

    @property
    def logical(self) -> bool:
        return self.number > 4


# A boot slot holds 50 MiB today, a root slot 130: room for the Debian releases to come.
PARTS = (
    Part(1, "edgenode", "c", 64 * MIB),
    Part(2, "boot-a", "c", 96 * MIB),
    Part(3, "boot-b", "c", 96 * MIB),
    Part(5, "root-a", "83", 512 * MIB),
    Part(6, "root-b", "83", 512 * MIB),
    Part(7, "data", "83", 64 * MIB),
)


class BuildError(Exception):
    """The image cannot be made; says what failed and what to do."""


def cache() -> Path:
    """Return the directory that is kept between builds."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    found = Path(base) / "edgenode-image"
    found.mkdir(parents=True, exist_ok=True)
    return found


def need(commands: Mapping[str, str]) -> None:
    """Raise BuildError naming the Debian packages of the commands that are missing."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    os.environ["PATH"] = path
    missing = sorted({pack for name, pack in commands.items() if not shutil.which(name)})
    if missing:
        raise BuildError(f"missing: apt-get install {' '.join(missing)}")


def run(
    words: Sequence[str | Path],
    *,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a program and return its output; raises BuildError with what it said."""
    done = subprocess.run(
        [str(word) for word in words],
        check=False,
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", **(env or {})},
    )
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace")[-3000:]
        raise BuildError(f"{words[0]} failed ({done.returncode}):\n{said}")
    return done.stdout.decode("utf-8", "replace")


def epoch() -> int:
    """Return SOURCE_DATE_EPOCH, or the time of the last commit (POSIX s): the build's only date."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    return int(run(["git", "log", "-1", "--format=%ct"], cwd=CHECKOUT))


def say(text: str) -> None:
    """Tell whoever builds what goes on."""
    sys.stderr.write(f"image: {text}\n")
