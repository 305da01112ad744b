"""The image as the SD card of QEMU's Raspberry Pi 3: its own controller, device tree and UART."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tests.image.card import Card

BUDGET_S = 1200.0  # about 110 as a rule; a busy host takes longer
# Serial 1 is the mini UART, on which a node has no console of its own.
# QEMU's watchdog resets as soon as it is armed (hw/misc/bcm2835_powermgt.c), so nobody arms it.
CONSOLE = "console=ttyS1,115200 loglevel=6 systemd.show_status=1 systemd.watchdog_sec=0"
PROMPT = b" login:"


def raspberry_pi(card: Card, work: Path) -> float:
    """Boot it until somebody is asked to log in; returns the seconds that took."""
    directory = work / "pi"
    directory.mkdir()
    boot = card.boot(directory, tryboot=False)
    console = directory / "console"
    began = time.monotonic()
    process = subprocess.Popen(
        ["nice", "qemu-system-aarch64", "-M", "raspi3b", "-display", "none", "-no-reboot",
         "-kernel", str(boot.kernel), "-initrd", str(boot.initramfs), "-dtb", str(boot.tree),
         "-append", f"{boot.cmdline} {CONSOLE}",
         "-serial", "null", "-serial", f"file:{console}",
         "-drive", f"if=sd,format=raw,cache=none,file={card.path}"],
        stdin=subprocess.DEVNULL, stdout=(directory / "qemu.log").open("wb"),
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        while PROMPT not in _said(console):
            assert process.poll() is None, (directory / "qemu.log").read_text()
            assert time.monotonic() - began < BUDGET_S, _said(console)[-4000:].decode()
            time.sleep(1)
    finally:
        process.kill()
        process.wait()
    return time.monotonic() - began


def _said(console: Path) -> bytes:
    return console.read_bytes() if console.exists() else b""
