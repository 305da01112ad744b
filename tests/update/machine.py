"""A card of files with two systems on it, Debian's RAUC over it, and what plays the firmware."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.disks import run

OTA = Path(__file__).parents[2] / "deploy/ota"
BACKEND = OTA / "backend"
NEEDED = {"rauc": "rauc", "dbus-daemon": "dbus", "mke2fs": "e2fsprogs", "openssl": "openssl"}
FACTORY = "[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n"
SLOTS = {"A": ("root-a", "boot-a"), "B": ("root-b", "boot-b")}
ROOT_BYTES, BOOT_BYTES = 4 << 20, 1 << 20
CMDLINE = "root=PARTUUID=ed9e0001-05 rauc.slot=A console=tty1 panic=10\n"
START_S = 10.0


def need(tools: Mapping[str, str]) -> None:
    """Fail, naming the Debian package, where a program is missing."""
    os.environ["PATH"] = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    missing = sorted({package for tool, package in tools.items() if not shutil.which(tool)})
    assert not missing, f"missing: apt-get install {' '.join(missing)}"


class Signer:
    """An authority for updates, and a signer whose certificate is for signing code."""

    def __init__(self, directory: Path, usage: str = "codeSigning") -> None:
        directory.mkdir(parents=True)
        self.keyring, self.key = directory / "ca.pem", directory / "signer.key"
        self.certificate = directory / "signer.pem"
        extensions, request = directory / "extensions", directory / "signer.csr"
        extensions.write_text(
            f"basicConstraints=CA:false\nkeyUsage=digitalSignature\nextendedKeyUsage={usage}\n"
        )
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"]
        authority = directory / "ca.key"
        name = f"/CN=updates {directory.name}"
        run("openssl", "req", "-x509", *new, authority, "-out", self.keyring, "-subj", name)
        run("openssl", "req", *new, self.key, "-out", request, "-subj", "/CN=signer")
        run(
            "openssl", "x509", "-req", "-in", request, "-CA", self.keyring, "-CAkey", authority,
            "-days", "1", "-extfile", extensions, "-out", self.certificate,
        )  # fmt: skip


def system(directory: Path, word: str) -> tuple[Path, Path]:
    """Make the two images of a system that can be told by `word`: root, and boot as an ext4."""
    root, boot, content = directory / "root", directory / "boot", directory / "content"
    content.mkdir(parents=True)
    root.write_bytes(word.encode().ljust(ROOT_BYTES // 2, b"."))
    (content / "cmdline.txt").write_text(CMDLINE)
    (content / "kernel").write_text(word)
    with boot.open("wb") as file:
        file.truncate(BOOT_BYTES)
    run("mke2fs", "-q", "-F", "-t", "ext4", "-d", content, boot)
    return root, boot


def plain(
    directory: Path, signer: Signer, word: str, version: str, compatible: str = "edgenode-arm64"
) -> Path:
    """Make a bundle as deploy/ota/bundle does, but of a format that needs no device-mapper.

    Its boot image is an ext4, which any kernel can mount for the hook; a node's is a FAT.
    """
    root, boot = system(directory, word)
    content = directory / "bundle"
    content.mkdir()
    shutil.move(root, content / "rootfs.img")
    shutil.move(boot, content / "boot.ext4")
    shutil.copy(OTA / "hook", content / "hook")
    (content / "manifest.raucm").write_text(
        f"[update]\ncompatible={compatible}\nversion={version}\n"
        "[bundle]\nformat=plain\n[hooks]\nfilename=hook\n"
        "[image.rootfs]\nfilename=rootfs.img\n"
        "[image.boot]\nfilename=boot.ext4\nhooks=post-install\n"
    )
    conf, bundle = directory / "signing.conf", directory / f"{version}.raucb"
    conf.write_text(
        f"[system]\ncompatible={compatible}\nbootloader=noop\n"
        f"[keyring]\npath={signer.keyring}\ncheck-purpose=codesign\n"
    )
    signing = ("rauc", f"--conf={conf}", f"--cert={signer.certificate}", f"--key={signer.key}")
    run(*signing, "bundle", content, bundle)
    return bundle


class Machine:
    """A node's card as files below `directory`; `slot` is the system that runs."""

    def __init__(self, directory: Path, keyring: Path) -> None:
        self.directory, self.slot = directory, ""
        self.boot, self.data, self.state = (directory / n for n in ("p1", "data", "state"))
        self.asked = directory / "reboot"  # what systemctl was told
        for place in (self.boot, self.state, directory / "bin", directory / "rauc"):
            place.mkdir(parents=True)
        (self.boot / "autoboot.txt").write_text(FACTORY)
        self.data.write_bytes(os.urandom(64 << 10))
        root, boot = system(directory / "factory", "factory")
        shutil.copy(root, directory / "root-a")
        shutil.copy(boot, directory / "boot-a")
        for name, size in (("root-a", ROOT_BYTES), ("root-b", ROOT_BYTES), ("boot-b", BOOT_BYTES)):
            with (directory / name).open("ab") as file:
                file.truncate(size)
        self._configure(keyring)
        self._script("systemctl", f'[ "$1" = show ] || echo "$*" >>{self.asked}')
        self._script("rauc", f'exec {shutil.which("rauc")} --conf={directory}/system.conf "$@"')

    def _script(self, name: str, what: str) -> None:
        path = self.directory / "bin" / name
        path.write_text(f"#!/bin/sh\n{what}\n")
        path.chmod(0o755)

    def _configure(self, keyring: Path) -> None:
        """Take the node's own file, with files in place of partitions, and plain bundles let in."""
        table = configparser.ConfigParser()
        table.read(OTA / "system.conf")
        for number, names in enumerate(SLOTS.values()):
            for kind, name in zip(("rootfs", "boot"), names, strict=True):
                table[f"slot.{kind}.{number}"]["device"] = str(self.directory / name)
            table[f"slot.boot.{number}"]["type"] = "ext4"
        table["system"]["bundle-formats"] = "plain verity"
        table["system"]["statusfile"] = str(self.directory / "rauc/status")
        table["system"]["mountprefix"] = str(self.directory / "mnt")
        table["keyring"]["path"] = str(keyring)
        table["handlers"]["bootloader-custom-backend"] = str(BACKEND)
        with (self.directory / "system.conf").open("w") as file:
            table.write(file, space_around_delimiters=False)

    @contextmanager
    def booted(self, *, tryboot: bool = False) -> Iterator[None]:
        """Boot what the firmware would boot, and run RAUC's service until the end of the block."""
        self.slot = self.firmware(tryboot=tryboot)
        with pytest.MonkeyPatch.context() as patch, self._bus() as address:
            patch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            patch.setenv("DBUS_STARTER_ADDRESS", address)
            patch.setenv("DBUS_STARTER_BUS_TYPE", "session")
            patch.setenv("EDGENODE_BOOT", str(self.boot))
            patch.setenv("EDGENODE_SLOT", self.slot)
            patch.setenv("PATH", f"{self.directory}/bin:{os.environ['PATH']}")
            with self._service():
                yield

    def firmware(self, *, tryboot: bool) -> str:
        """Return the slot that the firmware boots, by autoboot.txt and its one-shot flag."""
        text = (self.boot / "autoboot.txt").read_text()
        table = configparser.ConfigParser()
        table.read_string(text)
        assert table["all"]["tryboot_a_b"] == "1"
        assert len(text) <= 512  # what the firmware reads of it
        number = table["tryboot" if tryboot else "all"]["boot_partition"]
        return {"2": "A", "3": "B"}[number]

    @contextmanager
    def _bus(self) -> Iterator[str]:
        words = ("dbus-daemon", "--session", "--nofork", "--print-address=1")
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as bus:
            assert bus.stdout
            try:
                yield bus.stdout.readline().strip()
            finally:
                bus.terminate()

    @contextmanager
    def _service(self) -> Iterator[None]:
        with (self.directory / "rauc.log").open("a") as log:
            self.service = subprocess.Popen(
                ("rauc", f"--override-boot-slot={self.slot}", "service"),
                stdout=log,
                stderr=log,
            )
        try:
            self._answers()
            yield
        finally:
            self.service.terminate()
            self.service.wait(START_S)
            self._unmount()

    def _unmount(self) -> None:
        """Undo what a service that was killed has left mounted; a reboot would."""
        mounts = [line.split()[:2] for line in Path("/proc/mounts").read_text().splitlines()]
        for source, mount in reversed(mounts):
            if mount.startswith(f"{self.directory}/"):
                run("umount", mount)
                if source.startswith("/dev/loop"):  # not each goes away by itself
                    run("losetup", "--detach", source, ok=(0, 1))

    def _answers(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            asked = subprocess.run(
                ["rauc", "status"], capture_output=True, check=False, timeout=START_S
            )
            if asked.returncode == 0:
                return
            time.sleep(0.02)
        raise AssertionError((self.directory / "rauc.log").read_text())

    def kernel(self) -> str:
        """Return which system would really run: the words in root and boot of the slot."""
        root, boot = (self.directory / name for name in SLOTS[self.slot])
        word = root.read_bytes().split(b".")[0].decode()
        assert run("debugfs", "-R", "cat kernel", boot) == word
        return word

    def cmdline(self, slot: str) -> str:
        """Return the kernel's command line of a slot."""
        return run("debugfs", "-R", "cat cmdline.txt", self.directory / SLOTS[slot][1])
