"""A machine of QEMU with a card in it: switched on, rebooted by itself, and cut off."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.image.card import Boot, Card
from tests.support.ports import free_port

BOOT_BUDGET_S = 600.0  # 60 to 90 as a rule; a busy host takes longer
STOP_BUDGET_S = 180.0
# Beside the slot's own words: a console that tells, so that a failure can be understood.
CONSOLE = "console=ttyAMA0 loglevel=6 systemd.show_status=1"
# What Linux says last when it restarts; the word behind "command" is for the firmware.
RESTARTED = re.compile(rb"reboot: Restarting system(?: with command '([^']*)')?")


class Machine:
    """QEMU's `virt` with two Cortex-A53 and 1 GiB, no clock that survives, one network cable."""

    def __init__(self, card: Card, work: Path, key: Path) -> None:
        self.card, self.work, self.key = card, work, key
        self.ssh_port = free_port()
        self.console = work / "console"
        self.boots: list[tuple[int, float]] = []  # partition, seconds until SSH answered
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._said_before = 0  # bytes on the console before this boot

    def on(self, *, tryboot: bool = False) -> Boot:
        """Switch on; with `tryboot` as after a reboot that asked for it."""
        assert self._process is None, "it is on"
        boot = self.card.boot(self.work, tryboot=tryboot)
        self._started = time.monotonic()
        self._said_before = self.console.stat().st_size if self.console.exists() else 0
        self._process = subprocess.Popen(
            self._words(boot), stdin=subprocess.DEVNULL, stdout=(self.work / "qemu.log").open("ab"),
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.boots.append((boot.partition, 0.0))
        return boot

    def cut(self) -> None:
        """Cut the power."""
        assert self._process is not None, "it is off"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    def off(self) -> None:
        """Cut the power if it is on."""
        if self._process is not None:
            self.cut()

    def restarted(self, budget_s: float = STOP_BUDGET_S) -> Boot:
        """Wait until the machine restarts by itself, then do as the firmware does with its word."""
        assert self._process is not None, "it is off"
        self._process.wait(budget_s)
        self._process = None
        # After a panic nothing is said, and the firmware starts what is confirmed.
        found = RESTARTED.search(self.console.read_bytes(), self._said_before)
        return self.on(tryboot=found is not None and b"tryboot" in (found[1] or b""))

    def reached(self, budget_s: float = BOOT_BUDGET_S) -> float:
        """Wait until SSH answers; returns the seconds since it was switched on."""
        self.until(lambda: self.tried("true", seconds=60).returncode == 0, "SSH", budget_s)
        took = time.monotonic() - self._started
        self.boots[-1] = (self.boots[-1][0], took)
        return took

    def until(self, condition: Callable[[], object], what: str, budget_s: float) -> None:
        """Wait until something holds; fails with the end of the console when it does not."""
        deadline = time.monotonic() + budget_s
        while not condition():
            alive = self._process is not None and self._process.poll() is None
            assert alive, f"the machine ended before {what}:\n{self.told()}"
            assert time.monotonic() < deadline, f"not in {budget_s} s: {what}\n{self.told()}"
            time.sleep(1)

    def tried(self, command: str, seconds: float = 240) -> subprocess.CompletedProcess[str]:
        """Run a command as the maintainer over SSH, whatever comes of it."""
        try:
            return subprocess.run(
                [*self._ssh(), command], check=False, capture_output=True, text=True,
                timeout=seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess([command], 255, "", f"no end in {seconds} s")

    def _ssh(self) -> list[str]:
        assert shutil.which("ssh"), "ssh is missing: apt install openssh-client"
        return [
            "ssh", "-i", str(self.key), "-p", str(self.ssh_port), "-o", "BatchMode=yes",
            # The first key is kept; another one later is an error.
            "-o", "StrictHostKeyChecking=accept-new", "-o", "ConnectTimeout=30",
            "-o", f"UserKnownHostsFile={self.work / 'known_hosts'}", "-o", "LogLevel=ERROR",
            "-F", "/dev/null", "maintainer@127.0.0.1",
        ]  # fmt: skip

    def said(self, command: str, seconds: float = 240) -> str:
        """Run a command as the maintainer, and return what it printed."""
        done = self.tried(command, seconds)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def copy(self, source: Path, target: str) -> None:
        """Copy a file into the machine, for root."""
        with source.open("rb") as file:
            done = subprocess.run(
                [*self._ssh(), f"sudo dd of={target} bs=1M conv=fsync status=none"],
                check=False, stdin=file, capture_output=True, timeout=900,
            )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()

    def told(self) -> str:
        """Return the end of what the console and QEMU said."""
        text = ""
        for path in (self.console, self.work / "qemu.log"):
            with contextlib.suppress(FileNotFoundError):
                text += f"--- {path.name}\n{path.read_text('utf-8', 'replace')[-4000:]}\n"
        return text

    def _words(self, boot: Boot) -> list[str]:
        assert shutil.which("qemu-system-aarch64"), (
            "no qemu-system-aarch64: apt install qemu-system-arm qemu-system-x86, both at once"
        )
        forward = f"user,id=cable,hostfwd=tcp:127.0.0.1:{self.ssh_port}-:22"
        return [
            "nice", "qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-smp", "2",
            "-m", "1024", "-accel", "tcg,thread=multi", "-display", "none", "-no-reboot",
            "-nodefaults", "-rtc", "base=2000-01-01T00:00:00",
            "-kernel", str(boot.kernel), "-initrd", str(boot.initramfs),
            "-append", f"{boot.cmdline} {CONSOLE}",
            "-chardev", f"file,id=console,path={self.console},append=on",
            "-serial", "chardev:console",
            # What the guest flushes is flushed: no cache of the host stands in for the card's.
            "-drive", f"if=none,id=card,format=raw,cache=none,file={self.card.path}",
            "-device", "virtio-blk-pci,drive=card",
            "-netdev", forward, "-device", "virtio-net-pci,netdev=cable",
            "-device", "virtio-rng-pci",
        ]  # fmt: skip
